"""The terms of the loss of GZS-Net, before their weights.

Reconstruction, swap, cover and cycle loss compare decoded images with real ones: L_r, L_sr, the
full cover and L_csr of Ge et al., ICLR 2021. A mixture predicts the class from the block of the
label. Its gradient does not reach the encoder, so the networks never see a label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from latentloom.model_zoo.gzs_net.networks import GZSNetworks
from latentloom.model_zoo.gzs_net.settings import GZSNetSettings
from latentloom.model_zoo.losses.interpolation import cir_loss
from latentloom.model_zoo.losses.mixture import mixture_losses

Codes = Mapping[str, Any]
SMALLEST_SPREAD = 1e-6


def loss_terms(
    settings: GZSNetSettings,
    networks: GZSNetworks,
    groups,
    answers: Mapping[str, Any],
    codes: Codes,
) -> dict:
    """Returns every term as a scalar; skips terms of weight 0.

    Args:
        settings: Settings of the model.
        networks: Networks of the model.
        groups: `(batch, size, height, width, channels)`, the centre first; see `GroupBatches`.
        answers: `label`, `edge` and `donors` of every group; see `GroupBatches`.
        codes: One `(batch, size, dim)` tensor a block.
    """
    edge, donors, attributes = answers["edge"], answers["donors"], settings.attributes
    place = ops.ones_like(edge) if groups.shape[1] == 2 else 1 + edge  # 2: a relaxed group
    centre = {name: code[:, 0] for name, code in codes.items()}
    partner = {name: _members(code, place) for name, code in codes.items()}
    image, partner_image = groups[:, 0], _members(groups, place)
    pairs = {"reconstruction_loss": [(centre, image), (partner, partner_image)]}
    if settings.swap_weight:
        swapped = exchange(attributes, centre, partner, edge)
        pairs["swap_loss"] = list(zip(swapped, (image, partner_image), strict=True))
    if settings.cover_weight:
        places = range(groups.shape[1] if settings.cover_all else 1)
        pairs["cover_loss"] = [
            (cover(attributes, codes, donors[:, place]), groups[:, place]) for place in places
        ]
    terms = decoding_errors(settings, networks, pairs)
    if settings.sharing_weight:
        terms["sharing_loss"] = sharing_loss(attributes, codes, donors)
    if settings.cycle_weight:
        terms["cycle_loss"] = _cycle_loss(settings, networks, centre, image, edge)
    if settings.cir_weight:
        encode, decode = networks.encode, networks.decode
        terms["cir_loss"] = cir_loss(settings, encode, decode, centre, networks.noise)
    terms["mixture_loss"] = _mixture_loss(networks, centre["label"], answers["label"])
    return terms


def _mixture_loss(networks: GZSNetworks, code, labels):
    """Loss of the mixture on codes of the label's block, without gradients to the codes."""
    mixture = networks.mixture
    read = ops.stop_gradient(code)
    class_loss, likelihood_loss = mixture_losses(read, labels, mixture.loc, mixture.precision)
    return class_loss + likelihood_loss


def exchange(attributes: Sequence[str], codes: Codes, others: Codes, edge) -> tuple[dict, dict]:
    """Swaps one block between two codes; `edge` `(batch,)` is its position in `attributes`.

    If the examples share that factor, both must still decode to themselves.
    """
    moves = {
        name: ops.expand_dims(edge == position, -1) for position, name in enumerate(attributes)
    }
    ours = {b: ops.where(moves[b], others[b], c) if b in moves else c for b, c in codes.items()}
    theirs = {b: ops.where(moves[b], codes[b], c) if b in moves else c for b, c in others.items()}
    return ours, theirs


def cover(attributes: Sequence[str], codes: Codes, donors) -> dict:
    """Composes the code of one image a group: each factor's block comes from the donor.

    Unlabelled blocks are zero. If the image kept its own, they could hold the whole image, and the
    other blocks would learn nothing.

    Args:
        attributes: Factors that have a block, in order.
        codes: One `(batch, size, dim)` tensor a block.
        donors: Positions of the donors, with all images in one row, `(batch, factors)`.
    """
    position = {name: place for place, name in enumerate(attributes)}
    return {
        name: (
            ops.take(ops.reshape(code, (-1, code.shape[-1])), donors[:, position[name]], axis=0)
            if name in position
            else ops.zeros_like(code[:, 0])
        )
        for name, code in codes.items()
    }


def sharing_loss(attributes: Sequence[str], codes: Codes, donors):
    """Squared distance of codes that share a value, relative to any two codes; mean over factors.

    0 if the block of a factor depends only on its value; 1 if it is independent of the value. The
    ratio does not depend on the scale, so codes cannot reduce it by shrinking.

    Args:
        attributes: Factors that have a block, in order.
        codes: One `(batch, size, dim)` tensor a block.
        donors: For every image and factor, the position of another image that shares the factor,
            `(batch, size, factors)`.
    """
    ratios = []
    for place, name in enumerate(attributes):
        code = ops.reshape(codes[name], (-1, codes[name].shape[-1]))
        other = ops.take(code, ops.reshape(donors[..., place], (-1,)), axis=0)
        spread = 2 * ops.mean(ops.var(code, axis=0))
        ratios.append(ops.mean(ops.square(code - other)) / (spread + SMALLEST_SPREAD))
    return sum(ratios) / len(ratios)


def decoding_errors(
    settings: GZSNetSettings, networks: GZSNetworks, pairs: Mapping[str, list[tuple[Codes, Any]]]
) -> dict:
    """Decodes all codes in one call; returns the mean error of each list against its images."""
    flat = [pair for some in pairs.values() for pair in some]
    images = networks.decode(
        {name: ops.concatenate([c[name] for c, _ in flat]) for name in flat[0][0]}
    )
    targets = ops.concatenate([image for _, image in flat])
    errors = pixel_errors(images, targets, settings.absolute_weight)
    errors, begin, means = ops.reshape(errors, (len(flat), -1)), 0, {}
    for name, some in pairs.items():
        means[name] = ops.mean(errors[begin : begin + len(some)])
        begin += len(some)
    return means


def pixel_errors(images, targets, absolute_weight: float):
    """Error of every image: mean squared error plus the weighted mean absolute error."""
    difference = ops.reshape(images - targets, (ops.shape(images)[0], -1))
    errors = ops.mean(ops.square(difference), axis=-1)
    if absolute_weight:
        errors += absolute_weight * ops.mean(ops.abs(difference), axis=-1)
    return errors


def _cycle_loss(settings: GZSNetSettings, networks: GZSNetworks, centre: Codes, image, edge):
    """Swaps a block with another centre, decodes, encodes, swaps back; returns the pixel error."""
    others = {name: ops.roll(code, 1, axis=0) for name, code in centre.items()}
    attributes = settings.attributes
    first, second = exchange(attributes, centre, others, edge)
    mixed = {name: ops.concatenate([code, second[name]]) for name, code in first.items()}
    again = networks.encode(networks.decode(mixed))
    found = {name: ops.split(code, 2) for name, code in again.items()}
    back = exchange(
        attributes,
        {n: halves[0] for n, halves in found.items()},
        {n: halves[1] for n, halves in found.items()},
        edge,
    )
    targets = image, ops.roll(image, 1, axis=0)
    pairs = {"cycle_loss": list(zip(back, targets, strict=True))}
    return decoding_errors(settings, networks, pairs)["cycle_loss"]


def _members(array, place):
    """Returns the member of every group at `place`, `(batch, ...)`."""
    size, batch = array.shape[1], ops.shape(array)[0]
    flat = ops.reshape(array, (-1, *array.shape[2:]))
    return ops.take(flat, ops.arange(batch, dtype="int32") * size + place, axis=0)
