"""The terms of the loss of GZS-Net, before their weights.

All but the last two compare decoded images with real ones: L_r, L_sr, the full cover and L_csr of
Ge et al., ICLR 2021. The code of the class is read by a mixture through which no gradient reaches
the encoder: the networks never see a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keras import ops

from latentloom.model_zoo.losses.interpolation import cir_loss
from latentloom.model_zoo.losses.mixture import mixture_losses

if TYPE_CHECKING:
    from latentloom.model_zoo.gzs_net.gzs_net import GZSNet

Codes = Mapping[str, Any]
SMALLEST_SPREAD = 1e-6


def loss_terms(model: GZSNet, groups, answers: Mapping[str, Any], codes: Codes) -> dict:
    """Every term as a scalar; a term of weight 0 is left out.

    Args:
        model: The model.
        groups: `(batch, size, height, width, channels)`, the centre first; see `GroupBatches`.
        answers: `label`, `edge` and `donors` of every group; see `GroupBatches`.
        codes: One `(batch, size, dim)` tensor a block.
    """
    edge, is_relaxed = answers["edge"], groups.shape[1] == 2
    place = ops.ones_like(edge) if is_relaxed else 1 + edge
    centre = {name: code[:, 0] for name, code in codes.items()}
    partner = {name: _members(code, place) for name, code in codes.items()}
    image, partner_image = groups[:, 0], _members(groups, place)
    pairs = {"reconstruction_loss": [(centre, image), (partner, partner_image)]}
    if model.swap_weight:
        swapped = exchange(model, centre, partner, edge)
        pairs["swap_loss"] = list(zip(swapped, (image, partner_image), strict=True))
    if model.cover_weight:
        places = range(groups.shape[1] if model.cover_all else 1)
        pairs["cover_loss"] = [
            (cover(model, codes, answers["donors"][:, place]), groups[:, place]) for place in places
        ]
    terms = decoding_errors(model, pairs)
    if model.sharing_weight:
        terms["sharing_loss"] = sharing_loss(model, codes, answers["donors"])
    if model.cycle_weight:
        terms["cycle_loss"] = _cycle_loss(model, centre, image, edge)
    if model.cir_weight:
        terms["cir_loss"] = cir_loss(model, centre)
    read, mixture = ops.stop_gradient(centre["label"]), model.mixture
    class_loss, likelihood_loss = mixture_losses(
        read, answers["label"], mixture.loc, mixture.precision
    )
    terms["mixture_loss"] = class_loss + likelihood_loss
    return terms


def exchange(model: GZSNet, codes: Codes, others: Codes, edge) -> tuple[dict, dict]:
    """Both codes after the block at position `edge` among the factors', `(batch,)`, changed hands.

    With examples that share that factor this has to change nothing.
    """
    moves = {
        name: ops.expand_dims(edge == position, -1)
        for position, name in enumerate(model.attributes)
    }
    ours = {b: ops.where(moves[b], others[b], c) if b in moves else c for b, c in codes.items()}
    theirs = {b: ops.where(moves[b], codes[b], c) if b in moves else c for b, c in others.items()}
    return ours, theirs


def cover(model: GZSNet, codes: Codes, donors) -> dict:
    """The code of one image a group, each factor's block taken from its donor.

    Unlabelled blocks are zero: with their own, which belong to the image, they could hold all of
    it and leave the others nothing to learn.

    Args:
        model: The model.
        codes: One `(batch, size, dim)` tensor a block.
        donors: Positions of the donors among all images in one row, `(batch, factors)`.
    """
    position = {name: place for place, name in enumerate(model.attributes)}
    return {
        name: (
            ops.take(ops.reshape(code, (-1, code.shape[-1])), donors[:, position[name]], axis=0)
            if name in position
            else ops.zeros_like(code[:, 0])
        )
        for name, code in codes.items()
    }


def sharing_loss(model: GZSNet, codes: Codes, donors):
    """Mean squared distance of two codes of one value over that of any two, mean over factors.

    0 where the block of a factor is a function of its value, and tells nothing else; 1 where it
    tells nothing of it. It has no scale: codes cannot shrink from it.

    Args:
        model: The model.
        codes: One `(batch, size, dim)` tensor a block.
        donors: For every image and factor, the position of another that shares the factor,
            `(batch, size, factors)`.
    """
    ratios = []
    for place, name in enumerate(model.attributes):
        code = ops.reshape(codes[name], (-1, codes[name].shape[-1]))
        other = ops.take(code, ops.reshape(donors[..., place], (-1,)), axis=0)
        spread = 2 * ops.mean(ops.var(code, axis=0))
        ratios.append(ops.mean(ops.square(code - other)) / (spread + SMALLEST_SPREAD))
    return sum(ratios) / len(ratios)


def decoding_errors(model: GZSNet, pairs: Mapping[str, list[tuple[Codes, Any]]]) -> dict:
    """Decodes all codes in one call; the mean error of each list of codes against its images."""
    flat = [pair for some in pairs.values() for pair in some]
    images = model.decode(
        {name: ops.concatenate([c[name] for c, _ in flat]) for name in flat[0][0]}
    )
    errors = pixel_errors(model, images, ops.concatenate([image for _, image in flat]))
    errors, begin, means = ops.reshape(errors, (len(flat), -1)), 0, {}
    for name, some in pairs.items():
        means[name] = ops.mean(errors[begin : begin + len(some)])
        begin += len(some)
    return means


def pixel_errors(model: GZSNet, images, targets):
    """Error of every image: the mean square over its pixels, and a share of the mean absolute."""
    difference = ops.reshape(images - targets, (ops.shape(images)[0], -1))
    errors = ops.mean(ops.square(difference), axis=-1)
    if model.absolute_weight:
        errors += model.absolute_weight * ops.mean(ops.abs(difference), axis=-1)
    return errors


def _cycle_loss(model: GZSNet, centre: Codes, image, edge):
    """Exchanges a block with any other centre, decodes, encodes, and exchanges it back."""
    others = {name: ops.roll(code, 1, axis=0) for name, code in centre.items()}
    first, second = exchange(model, centre, others, edge)
    mixed = {name: ops.concatenate([code, second[name]]) for name, code in first.items()}
    found = {name: ops.split(code, 2) for name, code in model.encode(model.decode(mixed)).items()}
    back = exchange(
        model,
        {n: halves[0] for n, halves in found.items()},
        {n: halves[1] for n, halves in found.items()},
        edge,
    )
    targets = image, ops.roll(image, 1, axis=0)
    return decoding_errors(model, {"cycle": list(zip(back, targets, strict=True))})["cycle"]


def _members(array, place):
    """The member of every group at a place, `(batch, ...)`."""
    size, batch = array.shape[1], ops.shape(array)[0]
    flat = ops.reshape(array, (-1, *array.shape[2:]))
    return ops.take(flat, ops.arange(batch, dtype="int32") * size + place, axis=0)
