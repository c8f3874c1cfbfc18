"""The class-conditional Gaussian mixture: one diagonal Gaussian a class.

Reference:
    Wan et al., Rethinking Feature Distribution for Loss Functions in Image Classification,
    CVPR 2018, as used by Zheng & Sun, CVPR 2019.
"""

from __future__ import annotations

import keras
from keras import ops

from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.losses.mixture import component_log_density
from latentloom.model_zoo.networks.sizes import check_weights

UNIT_PRECISION_LOGIT = 0.54  # softplus(0.54) = 0.99916


@keras.saving.register_keras_serializable(package="latentloom")
class ClassMixture(keras.layers.Layer):
    """Gaussian mixture with one component a class, over codes of size `dim`.

    The precision is `clip(softplus(raw), *precision_range)`. The released code does not clip; but
    with learnt codes and learnt precision the likelihood is unbounded.

    Args:
        num_classes: Integer, number of components.
        dim: Integer, size of a code.
        precision_range: Pair of floats, smallest and largest precision of a dimension.
        learns_precision: Whether the precision is learnt; otherwise it stays at 1.

    Input shape:
        Codes, `(batch, dim)`.

    Output shape:
        Log density of every code under every component, `(batch, num_classes)`, in nats, without
        the constant `-dim / 2 * log(2 pi)`.
    """

    def __init__(
        self,
        num_classes: int,
        dim: int,
        precision_range: tuple[float, float] = (0.1, 10.0),
        learns_precision: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_classes, self.dim = num_classes, dim
        self.precision_range, self.learns_precision = tuple(precision_range), learns_precision
        shape = (num_classes, dim)
        check_weights(self.name, shape)
        self.loc = self.add_weight(
            shape=shape, initializer=keras.initializers.GlorotUniform(seed=0), name="loc"
        )
        self.raw_precision = self.add_weight(
            shape=shape,
            initializer=keras.initializers.Constant(UNIT_PRECISION_LOGIT),
            trainable=learns_precision,
            name="raw_precision",
        )
        self.built = True

    @property
    def precision(self):
        """Precision of every component, `(num_classes, dim)`."""
        return ops.clip(ops.softplus(self.raw_precision), *self.precision_range)

    def call(self, codes):
        return component_log_density(codes, self.loc, self.precision)

    def frozen(self):
        """Returns `(loc, precision)` without gradients."""
        return ops.stop_gradient(self.loc), ops.stop_gradient(self.precision)

    def components(self, labels=None):
        """TFP distribution of the codes of each class, or of the classes in `labels`."""
        loc, scale = ops.convert_to_tensor(self.loc), ops.rsqrt(self.precision)
        if labels is not None:
            loc, scale = ops.take(loc, labels, axis=0), ops.take(scale, labels, axis=0)
        return tfd.MultivariateNormalDiag(loc=loc, scale_diag=scale)

    def mixture(self):
        """TFP distribution of the codes of all classes, equally weighted."""
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=ops.zeros((self.num_classes,))), self.components()
        )

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dim": self.dim,
            "precision_range": self.precision_range,
            "learns_precision": self.learns_precision,
        }
