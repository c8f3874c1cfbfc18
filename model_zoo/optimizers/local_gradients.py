"""Gradients that stay as they are where there is one device to compute them."""

from __future__ import annotations


class LocalGradients:
    """Mixed into an optimizer of Keras: sums gradients over devices only where there are several.

    With TensorFlow, Keras 3.15 sums them on one device, too, by a function with a gradient of its
    own. TensorFlow 2.21 keeps such a function for good, and with it the graph of the training that
    called it: a process that trains network after network, as a study does, would keep them all.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars):
        import tensorflow as tf

        if tf.distribute.has_strategy():
            return super()._all_reduce_sum_gradients(grads_and_vars)  # pyright: ignore
        return grads_and_vars
