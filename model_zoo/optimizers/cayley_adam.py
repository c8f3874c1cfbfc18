"""Adam for matrices with orthonormal columns; every step keeps them orthonormal.

Li, Fuxin and Todorovic, Efficient Riemannian Optimization on the Stiefel Manifold via the Cayley
Transform, ICLR 2020, https://arxiv.org/abs/2002.01113. The averaged gradient gives a skew matrix
`W`. Its Cayley transform `(I + a/2 W)^-1 (I - a/2 W)` is a rotation, which turns the matrix. A few
fixed-point iterations approximate the rotation without solving a system.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from latentloom.model_zoo.backend.rounding import exact_products
from latentloom.model_zoo.networks.stiefel import check_stiefel_shape, orthonormalize
from latentloom.model_zoo.optimizers.local_gradients import LocalGradients

RULES = {
    "beta_1": ("in [0, 1)", lambda value: 0 <= value < 1),
    "beta_2": ("in [0, 1)", lambda value: 0 <= value < 1),
    "epsilon": ("above 0", lambda value: value > 0),
    "contraction": ("in (0, 1]", lambda value: 0 < value <= 1),
    "num_iterations": ("of at least 1", lambda value: value >= 1),
    "orthonormalize_every": ("of at least 1, or None", lambda value: value is None or value >= 1),
    "weight_decay": ("off, since it shrinks columns", lambda value: not value),
    "use_ema": ("off, since averages leave the manifold", lambda value: not value),
}
"""Rule of each argument, and its check."""


@keras.saving.register_keras_serializable(package="latentloom")
class CayleyAdam(LocalGradients, keras.optimizers.Optimizer):
    """Adam on the Stiefel manifold by the iterative Cayley transform.

    For variables `(l, m)`, `m <= l`, that start with orthonormal columns (`OrthonormalColumns` of
    `model_zoo.networks.stiefel`); `Grouped` trains the other variables with another optimizer. A
    step costs about `2 + num_iterations` products of `l * l * m` multiplications.

    The optimizer skips a step with a result that is not finite: matrix, momentum and velocity do
    not change. `num_skipped`, an int32 variable of the built optimizer, counts the skipped steps
    over all matrices.

    Reference:
        Li, Fuxin and Todorovic, ICLR 2020, https://arxiv.org/abs/2002.01113. Implements
        Algorithm 2. Deviates as the released code does: five iterations instead of two; a velocity
        that starts at 0, with bias correction; as `||W||` the largest absolute column sum, which is
        at least the spectral norm. Deviates from both: iterations start at `X - a W X`, which is
        exact to first order, where theirs omit the scale of `W`; a QR decomposition every
        `orthonormalize_every` steps, not at random.

    Args:
        learning_rate: Float, schedule or callable: about the largest angle of a step in radians. A
            rotation by one radian takes at least `1 / learning_rate` steps.
        beta_1: Float in `[0, 1)`, decay of the averaged gradient.
        beta_2: Float in `[0, 1)`, decay of the velocity, the averaged square of the gradient's
            Frobenius norm: one scalar a matrix.
        epsilon: Positive float, in units of the gradient's squared norm. Gradients with a norm far
            below its square root move the matrix little.
        contraction: Float in `(0, 1]`. The step is at most `2 * contraction / ||W||`, where each
            iteration multiplies its error by this factor.
        num_iterations: Integer of at least 1, `s`. A step of `t` radians leaves a defect of
            `t**(s+2) / 2**s` (even `s`) or `t**(s+3) / 2**(s+1)` (odd), in the spectral norm.
        orthonormalize_every: Integer of at least 1: after every so many steps,
            `model_zoo.networks.stiefel.orthonormalize` removes rounding errors. `None` for never.
        name: Name of the optimizer, or `None` for a generated name.
        **settings: Further arguments of `keras.optimizers.Optimizer`, except `weight_decay` and
            `use_ema`: shrunk and averaged matrices are not orthonormal.

    Raises:
        ValueError: An argument is out of its range. On building: a variable is not a matrix
            `(l, m)` with `m <= l`.

    Example:
        ```python
        groups = {"subspace": ([model.subspace], CayleyAdam(0.01))}
        model.compile(Grouped(groups, default=FusedAdam(2e-4)))
        ```
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], Any] = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        epsilon: float = 1e-8,
        contraction: float = 0.5,
        num_iterations: int = 5,
        orthonormalize_every: int | None = 100,
        name: str | None = None,
        **settings: Any,
    ):
        arguments = {
            "beta_1": beta_1,
            "beta_2": beta_2,
            "epsilon": epsilon,
            "contraction": contraction,
            "num_iterations": num_iterations,
            "orthonormalize_every": orthonormalize_every,
        }
        _check_arguments(arguments | settings)
        super().__init__(learning_rate, name=name, **settings)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.contraction, self.num_iterations = contraction, num_iterations
        self.orthonormalize_every = orthonormalize_every

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        for variable in variables:
            check_stiefel_shape(variable.shape, variable.path)
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")
        self._velocities = [
            self.add_variable((), dtype=variable.dtype, name=f"{variable.name}_velocity")
            for variable in variables
        ]
        self.num_skipped = self.add_variable((), dtype="int32", name="num_skipped")

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        state = (variable, self._momentums[index], self._velocities[index])
        old = [ops.convert_to_tensor(each) for each in state]
        with exact_products() as dtype:
            factors = [ops.cast(each, dtype) for each in (*old, gradient, learning_rate)]
            stepped = [ops.cast(each, variable.dtype) for each in self._step(*factors)]
        is_finite = ops.all(ops.stack([ops.all(ops.isfinite(each)) for each in stepped]))
        new = [ops.where(is_finite, *pair) for pair in zip(stepped, old, strict=True)]
        new[0] = self._mended(new[0])
        for each, value in zip(state, new, strict=True):
            self.assign(each, value)
        self.assign_add(self.num_skipped, ops.cast(ops.logical_not(is_finite), "int32"))

    def _step(self, matrix, momentum, velocity, gradient, learning_rate):
        """Returns matrix, momentum and velocity after a step."""
        count = ops.cast(self.iterations + 1, matrix.dtype)
        momentum = self.beta_1 * momentum + (1 - self.beta_1) * gradient
        velocity = self.beta_2 * velocity + (1 - self.beta_2) * ops.sum(ops.square(gradient))
        root = ops.sqrt(velocity / (1 - self.beta_2**count) + self.epsilon)
        scale = (1 - self.beta_1**count) * root
        rotation = _skew(matrix, momentum) / scale  # (l, l)
        tangent = ops.matmul(rotation, matrix)
        norm = ops.max(ops.sum(ops.abs(rotation), axis=0))
        angle = ops.minimum(learning_rate, 2 * self.contraction / (norm + self.epsilon))
        turned = matrix - angle * tangent
        for _ in range(self.num_iterations):
            turned = matrix - angle / 2 * (tangent + ops.matmul(rotation, turned))
        return turned, scale * tangent, velocity

    def _mended(self, matrix):
        """Removes rounding errors of the matrix, every `orthonormalize_every` steps."""
        if self.orthonormalize_every is None:
            return matrix
        is_due = (self.iterations + 1) % self.orthonormalize_every == 0
        return ops.cond(is_due, lambda: orthonormalize(matrix), lambda: matrix)

    def get_config(self):
        return super().get_config() | {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "contraction": self.contraction,
            "num_iterations": self.num_iterations,
            "orthonormalize_every": self.orthonormalize_every,
        }


def _skew(matrix, momentum):
    """`V - V^T` of `V = M X^T - X (X^T M X^T) / 2`, which turns `X` along `M`: `(l, l)`."""
    inner = ops.matmul(ops.transpose(matrix), momentum)  # (m, m)
    half = ops.matmul(momentum - ops.matmul(matrix, inner) / 2, ops.transpose(matrix))
    return half - ops.transpose(half)


def _check_arguments(arguments: Mapping[str, Any]) -> None:
    """Rejects arguments that are out of range or would leave the manifold."""
    for name, value in arguments.items():
        rule, is_kept = RULES.get(name, ("", lambda value: True))
        if not is_kept(value):
            raise ValueError(
                f"`{name}` of CayleyAdam is out of range. Expected: `{name}` {rule}. Received: "
                f"{name}={value}. Set it so, or leave it out."
            )
