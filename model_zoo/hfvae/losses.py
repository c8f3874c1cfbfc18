"""The terms of the loss of the hierarchically factorised VAE, before their weights.

With `q(z)` the mean of the posteriors `q(z | x)` over the training examples, all in nats:

    reconstruction_loss   -log p(x | z)
    mutual_information    log q(z | x) - log q(z)
    between_blocks        log q(z) - sum over blocks b of log q(z[b])
    within_blocks         sum over blocks of log q(z[b]) - sum over dimensions d of log q(z[b, d])
    dimension_wise        sum over blocks and dimensions of log q(z[b, d]) - log p(z[b, d])

Esmaeili et al., Structured Disentangled Representations, AISTATS 2019. With weights of 1 the
estimates of `q(z)` cancel, and the sum is minus the evidence bound. The terms of categorical blocks
are sums over all values, because with a drawn value they would have almost no gradient.
"""

from __future__ import annotations

from keras import ops

from latentloom.model_zoo.hfvae.blocks import CategoricalBlock
from latentloom.model_zoo.hfvae.networks import HFVAENetworks
from latentloom.model_zoo.hfvae.settings import HFVAESettings
from latentloom.model_zoo.losses.aggregate_posterior import stratified_log_weights
from latentloom.model_zoo.losses.divergences import kl_terms

EVIDENCE_TERMS = (
    "reconstruction_loss",
    "mutual_information",
    "between_blocks",
    "within_blocks",
    "dimension_wise",
)


def loss_terms(
    settings: HFVAESettings, networks: HFVAENetworks, x, y, outputs, training: bool = True
) -> dict:
    """Returns every term as a scalar, and the accuracy of the label's block, if there is one.

    Args:
        settings: Settings of the model.
        networks: Networks of the model.
        x: Observations, `(batch, *observation_shape)`.
        y: `{"label": ..., "is_shown": ...}` of `LabelBatches`; unused if the label has no block.
        outputs: Outputs of the model for the observations.
        training: Whether the batch is drawn from the training examples. If not, the aggregate
            posterior covers only the batch.
    """
    label_terms = {}
    if label_block := networks.label_block:
        label_terms = _label_terms(label_block, settings.label_share, y, outputs)
        outputs = with_labels(label_block, y, outputs)
    decoded = networks.decode(outputs, training)
    reconstruction_loss = networks.likelihood.reconstruction_loss(x, decoded)
    ones = ops.ones_like(reconstruction_loss)
    size = ops.cast(ops.shape(x)[0], "float32")
    num_examples = ops.maximum(size, float(settings.num_examples or 1)) if training else size
    terms = kl_terms(
        {block.name: block.densities(outputs) for block in networks.blocks},
        stratified_log_weights(ones, num_examples),
        ones,
    )
    return {
        "reconstruction_loss": ops.mean(reconstruction_loss),
        "mutual_information": terms.mutual_information,
        "between_blocks": terms.between_blocks,
        "within_blocks": ops.sum(ops.stack(list(terms.within_blocks.values()))),
        "dimension_wise": ops.sum(ops.concatenate(list(terms.dimension_wise.values()))),
        **label_terms,
    }


def with_labels(label_block: CategoricalBlock, y, outputs) -> dict:
    """Replaces code and posterior of the label's block by the label where it is shown."""
    is_shown = ops.cast(y["is_shown"], "bool")[:, None]
    shown = label_block.shown(y["label"])
    return outputs | {
        name: ops.where(is_shown, known, outputs[name]) for name, known in shown.items()
    }


def _label_terms(label_block: CategoricalBlock, label_share: float, y, outputs) -> dict:
    """Cross-entropy of the label's block on shown labels, and its accuracy on all examples.

    The sum of the cross-entropy is divided by the expected number of shown labels in a batch, so
    that each shown label has the same weight.
    """
    log_probabilities = outputs[f"{label_block.name}/log_probabilities"]
    one_hot = ops.one_hot(y["label"], label_block.dim, dtype="float32")
    is_shown = ops.cast(y["is_shown"], "float32")
    losses = -ops.sum(one_hot * log_probabilities, axis=-1)
    predicted = ops.cast(ops.argmax(log_probabilities, axis=-1), "int32")
    return {
        "label_loss": ops.mean(is_shown * losses) / label_share,
        "label_accuracy": ops.mean(ops.cast(predicted == ops.cast(y["label"], "int32"), "float32")),
    }
