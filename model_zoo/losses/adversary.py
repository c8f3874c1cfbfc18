"""Adversarial training within one scalar loss, by calls to frozen networks."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops


def call_frozen(network: keras.Model, inputs):
    """Calls a network in inference mode; gradients reach its inputs, not its variables."""
    frozen = [ops.stop_gradient(variable) for variable in network.trainable_variables]
    unchanged = network.non_trainable_variables
    outputs, _ = network.stateless_call(frozen, unchanged, inputs, training=False)
    return outputs


def adversary_losses(adversary: keras.Model, codes, labels, class_probabilities: Sequence[float]):
    """Losses of an adversary that predicts the class and of the encoder that hides it.

    Args:
        adversary: Network from codes to class logits.
        codes: `(batch, dim)`, sampled from the posterior.
        labels: `(batch,)` int32.
        class_probabilities: Share of each class in the data.

    Returns:
        `(confusion_loss, adversary_loss)` in nats. The first is the cross-entropy of the
        adversary's output against the class shares; it is least if the codes do not depend on the
        class, and its gradients reach only the codes. The second is the adversary's own
        cross-entropy; its gradients reach only the adversary.
    """
    target = ops.convert_to_tensor(class_probabilities, dtype=codes.dtype)
    seen_by_encoder = ops.log_softmax(call_frozen(adversary, codes))
    confusion_loss = -ops.mean(ops.sum(target * seen_by_encoder, axis=-1))
    seen_by_adversary = adversary(ops.stop_gradient(codes))
    adversary_loss = ops.mean(
        keras.losses.sparse_categorical_crossentropy(labels, seen_by_adversary, from_logits=True)
    )
    return confusion_loss, adversary_loss
