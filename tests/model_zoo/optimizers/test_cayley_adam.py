"""Cayley Adam steps as its equations say, stays on the manifold and finds what is there."""

import keras
import numpy as np
import pytest
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from latentloom.model_zoo.networks.stiefel import OrthonormalColumns
from latentloom.model_zoo.optimizers import CayleyAdam

BACKEND = keras.backend.backend()
BOUND = 1e-4
"""Defect that 2,000 steps in float32 may leave."""


def matrix(*shape, seed=0):
    """A variable with orthonormal columns."""
    return keras.Variable(OrthonormalColumns(seed=seed)(shape), name="U")


def defect(variable, order=None):
    columns = np.asarray(variable).astype(float)
    return np.linalg.norm(columns.T @ columns - np.eye(columns.shape[1]), order)


def stepper(optimizer, variables, jit_compile=False):
    """A compiled step as `fit` takes it, from gradients."""
    optimizer.build(variables)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        apply = tf.function(lambda *g: optimizer.apply(g, variables), jit_compile=jit_compile)
        return lambda gradients: apply(*map(tf.constant, gradients))
    import jax

    apply, state = jax.jit(optimizer.stateless_apply), [*variables, *optimizer.variables]

    def step(gradients):
        values = [variable.value for variable in state]
        first, rest = values[: len(variables)], values[len(variables) :]
        first, rest = apply(rest, list(gradients), first)
        for variable, value in zip(state, (*first, *rest), strict=True):
            variable.assign(value)

    return step


def reference(start, gradients, rates, num_iterations=5, beta_1=0.9, beta_2=0.99, eps=1e-8):
    """The equations in float64; yields the matrix, `r W X` and the angle of each step."""
    x, m, v = start.astype(float), np.zeros(start.shape), 0.0
    for k, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        m = beta_1 * m + (1 - beta_1) * gradient
        v = beta_2 * v + (1 - beta_2) * (gradient**2).sum()
        r = (1 - beta_1**k) * np.sqrt(v / (1 - beta_2**k) + eps)
        half = m @ x.T - 0.5 * x @ (x.T @ m @ x.T)
        w = (half - half.T) / r
        m = r * w @ x
        a = min(rate, 1.0 / (np.linalg.norm(w, 1) + eps))
        y = x - a * w @ x
        for _ in range(num_iterations):
            y = x - a / 2 * w @ (x + y)
        x = y
        yield x, m, a * np.linalg.norm(w, 2)


def random_gradients(num_steps, *shape):
    return np.random.default_rng(1).normal(size=(num_steps, *shape)).astype("float32")


class PCA:
    """Finds the plane of the ten directions in which data of 50 dimensions spread most."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.axes = np.linalg.qr(self.rng.normal(size=(50, 50)))[0]
        self.scale = np.repeat([3.0, 0.3], [10, 40])

    def gradient(self, columns):
        """Of `tr(C) - tr(U^T C U)` with the covariance of 256 examples."""
        batch = (self.rng.normal(size=(256, 50)) * self.scale) @ self.axes.T
        return (-2 * batch.T @ (batch @ columns) / 256).astype("float32")

    def smallest_cosine(self, columns):
        return np.linalg.svd(self.axes[:, :10].T @ columns)[1].min()

    def excess(self, columns):
        """Error above the least that is possible, as a share of it."""
        least = 40 * 0.3**2
        total = (self.scale**2).sum()
        return (total - ((self.scale[:, None] * (self.axes.T @ columns)) ** 2).sum()) / least - 1


def solve(optimizer, num_steps, seed=0):
    """The problem, the matrix after some steps, and the largest defect on the way."""
    problem, variable, defects = PCA(seed), matrix(50, 10, seed=seed), []
    step = stepper(optimizer, [variable])
    for index in range(num_steps):
        step([problem.gradient(variable.numpy())])
        if index % 25 == 24:
            defects.append(defect(variable))
    return problem, variable.numpy(), max(defects)


# --- The equations ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6, 3), (5, 5), (4, 1)])
@pytest.mark.parametrize("rate", [0.05, 9.0])
@pytest.mark.parametrize("num_iterations", [2, 5])
def test_steps_are_those_of_the_equations(shape, rate, num_iterations):
    variable, gradients = matrix(*shape), random_gradients(4, *shape)
    optimizer = CayleyAdam(rate, num_iterations=num_iterations, orthonormalize_every=None)
    expected = reference(variable.numpy(), gradients, [rate] * 4, num_iterations)
    step = stepper(optimizer, [variable])
    for gradient, (x, m, _) in zip(gradients, expected, strict=True):
        step([gradient])
        np.testing.assert_allclose(variable.numpy(), x, atol=3e-6)
        np.testing.assert_allclose(optimizer._momentums[0].numpy(), m, atol=3e-6)


def test_the_momentum_is_tangent_to_the_manifold():
    variable, (gradient,) = matrix(8, 3), random_gradients(1, 8, 3)
    optimizer, start = CayleyAdam(), variable.numpy()
    stepper(optimizer, [variable])([gradient])
    inner = start.T @ gradient * 0.1
    expected = 0.1 * gradient - start @ (inner + inner.T) / 2
    np.testing.assert_allclose(optimizer._momentums[0].numpy(), expected, atol=1e-6)


def test_it_follows_a_schedule():
    schedule = CosineDecay(0.3, 6)
    variable, gradients = matrix(6, 3), random_gradients(5, 6, 3)
    rates = [float(schedule(index)) for index in range(5)]
    expected = [x for x, _, _ in reference(variable.numpy(), gradients, rates)]
    step = stepper(CayleyAdam(schedule), [variable])
    for gradient, x in zip(gradients, expected, strict=True):
        step([gradient])
        np.testing.assert_allclose(variable.numpy(), x, atol=3e-6)


@pytest.mark.parametrize("num_iterations", range(1, 6))
@pytest.mark.parametrize("rate", [0.5, 1.5])
def test_the_defect_of_a_step_is_what_the_series_leaves_out(num_iterations, rate):
    variable, gradients = matrix(12, 4), random_gradients(1, 12, 4)
    ((_, _, angle),) = reference(variable.numpy(), gradients, [rate])
    optimizer = CayleyAdam(rate, num_iterations=num_iterations)
    stepper(optimizer, [variable])(gradients)
    s = num_iterations
    bound = angle ** (s + 3) / 2 ** (s + 1) if s % 2 else angle ** (s + 2) / 2**s
    assert 0.2 * bound - 1e-6 < defect(variable, 2) < bound + 1e-6


def test_a_large_step_is_cut():
    """Iterations contract by `contraction` at worst, however large the rate."""
    start, gradients = matrix(12, 4).numpy(), random_gradients(1, 12, 4)
    for contraction in (0.5, 0.1):
        variable = matrix(12, 4)
        stepper(CayleyAdam(1e6, contraction=contraction), [variable])(gradients)
        assert 0 < np.linalg.norm(variable.numpy() - start, 2) < 2 * contraction


# --- The manifold -----------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.01, 0.1])
@pytest.mark.parametrize("orthonormalize_every", [None, 100])
def test_a_thousand_steps_stay_on_the_manifold(rate, orthonormalize_every):
    optimizer = CayleyAdam(rate, orthonormalize_every=orthonormalize_every)
    assert solve(optimizer, 1000)[2] < BOUND / 10


def test_few_iterations_of_large_steps_leave_the_manifold_unless_they_are_mended():
    settings = {"learning_rate": 1.0, "num_iterations": 2}
    assert solve(CayleyAdam(**settings, orthonormalize_every=None), 300)[2] > 10 * BOUND
    assert solve(CayleyAdam(**settings, orthonormalize_every=1), 300)[2] < BOUND


def test_plain_adam_leaves_the_manifold():
    assert solve(Adam(0.01), 300)[2] > 0.1


def test_every_hundredth_step_mends_the_matrix_and_keeps_its_span():
    mended, drifting = matrix(12, 4), matrix(12, 4)
    settings = {"learning_rate": 0.5, "num_iterations": 1}
    steps = [
        stepper(CayleyAdam(**settings), [mended]),
        stepper(CayleyAdam(**settings, orthonormalize_every=None), [drifting]),
    ]
    gradients = random_gradients(100, 12, 4)
    for gradient in gradients[:99]:
        for step in steps:
            step([gradient])
    assert defect(mended) > BOUND
    np.testing.assert_array_equal(mended.numpy(), drifting.numpy())
    for step in steps:
        step(gradients[99:])
    assert defect(mended) < 2e-6 < BOUND < defect(drifting)
    spans = [v.numpy() @ np.linalg.pinv(v.numpy()) for v in (mended, drifting)]
    np.testing.assert_allclose(*spans, atol=2e-6)


# --- What it finds ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_the_principal_subspace_is_found_in_300_steps(seed):
    problem, columns, _ = solve(CayleyAdam(0.1), 300, seed)
    assert problem.smallest_cosine(columns) > 0.99
    assert problem.excess(columns) < 0.01


def test_300_steps_of_a_ten_thousandth_radian_hardly_turn_the_matrix():
    problem, columns, _ = solve(CayleyAdam(1e-4), 300)
    assert problem.smallest_cosine(columns) < 0.2


# --- Several matrices, bad gradients ----------------------------------------------------------


def test_matrices_of_different_shapes_are_stepped_as_if_alone():
    shapes = [(6, 3), (9, 2)]
    together, alone = [matrix(*s) for s in shapes], [matrix(*s) for s in shapes]
    gradients = [random_gradients(5, *shape) for shape in shapes]
    steps = [stepper(CayleyAdam(), [variable]) for variable in alone]
    step = stepper(CayleyAdam(), together)
    for pair in zip(*gradients, strict=True):
        step(pair)
        for one, gradient in zip(steps, pair, strict=True):
            one([gradient])
    for variable, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(variable.numpy(), other.numpy(), atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_gradient_that_is_not_finite_is_left_out_and_counted(value):
    variable, gradients = matrix(6, 3), random_gradients(3, 6, 3)
    optimizer = CayleyAdam(orthonormalize_every=1)
    step = stepper(optimizer, [variable])
    step(gradients[:1])
    kept = [each.numpy() for each in (variable, *optimizer._momentums, *optimizer._velocities)]
    gradients[1, 2, 1] = value
    step(gradients[1:2])
    now = [each.numpy() for each in (variable, *optimizer._momentums, *optimizer._velocities)]
    for old, new in zip(kept, now, strict=True):
        np.testing.assert_allclose(new, old, atol=1e-6)
    step(gradients[2:])
    assert np.abs(variable.numpy() - kept[0]).max() > 1e-3
    assert defect(variable) < 2e-6
    assert int(optimizer.num_skipped.numpy()) == 1


def test_no_gradient_moves_nothing():
    variable = matrix(6, 3)
    start = variable.numpy()
    stepper(CayleyAdam(), [variable])([np.zeros((6, 3), "float32")])
    np.testing.assert_allclose(variable.numpy(), start, atol=1e-7)


def test_accumulated_gradients_are_averaged():
    accumulating, plain = matrix(6, 3), matrix(6, 3)
    gradients = random_gradients(4, 6, 3)
    step = stepper(CayleyAdam(gradient_accumulation_steps=2), [accumulating])
    for gradient in gradients:
        step([gradient])
    step = stepper(CayleyAdam(), [plain])
    for pair in (gradients[:2], gradients[2:]):
        step([pair.mean(axis=0)])
    np.testing.assert_allclose(accumulating.numpy(), plain.numpy(), atol=1e-6)


# --- Compilation, precision -------------------------------------------------------------------


@pytest.mark.parametrize("jit_compile", [True] if BACKEND == "jax" else [False, True])
def test_a_compiled_step_is_the_step_taken_at_once(jit_compile):
    compiled, eager = matrix(6, 3), matrix(6, 3)
    gradients, optimizer = random_gradients(4, 6, 3), CayleyAdam(orthonormalize_every=2)
    step = stepper(CayleyAdam(orthonormalize_every=2), [compiled], jit_compile)
    optimizer.build([eager])
    for gradient in gradients:
        step([gradient])
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [eager])
    np.testing.assert_allclose(compiled.numpy(), eager.numpy(), atol=1e-6)


def test_no_product_is_shortened_on_a_device():
    """TF32 and bfloat16 show on accelerators only, but what is asked for shows anywhere."""
    variable, (gradient,) = matrix(6, 3), random_gradients(1, 6, 3)
    optimizer = CayleyAdam()
    optimizer.build([variable])
    if BACKEND == "tensorflow":
        import tensorflow as tf

        step = tf.function(lambda g: optimizer.apply([g], [variable]))
        graph = step.get_concrete_function(tf.constant(gradient)).graph
        dtypes = {op.outputs[0].dtype for op in graph.get_operations() if "MatMul" in op.type}
        assert dtypes == {tf.float64}
        return
    import jax

    state = [each.value for each in optimizer.variables]
    program = str(jax.make_jaxpr(optimizer.stateless_apply)(state, [gradient], [variable.value]))
    assert program.count("dot_general[") == program.count("precision=(") >= 9
    assert program.count("Precision.HIGHEST, Precision.HIGHEST") == program.count("dot_general[")


# --- Mistakes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 5), (4,)])
def test_a_variable_without_orthonormal_columns_is_refused(shape):
    variable = keras.Variable(np.ones(shape, "float32"), name="wide")
    with pytest.raises(ValueError, match="'wide' cannot be orthonormal.*Lower the number of"):
        CayleyAdam().build([variable])


@pytest.mark.parametrize(
    "argument",
    [
        {"beta_1": 1.0},
        {"beta_2": -0.1},
        {"epsilon": 0.0},
        {"contraction": 1.5},
        {"num_iterations": 0},
        {"orthonormalize_every": 0},
        {"weight_decay": 0.01},
        {"use_ema": True},
    ],
)
def test_an_argument_that_leads_off_the_manifold_is_refused(argument):
    ((name, value),) = argument.items()
    with pytest.raises(ValueError, match=rf"Expected: `{name}` .*{name}={value}\. Set it so"):
        CayleyAdam(**argument)


def test_it_comes_back_from_its_config():
    optimizer = CayleyAdam(CosineDecay(0.1, 9), 0.8, 0.9, 1e-6, 0.4, 3, None, clipnorm=2.0)
    config = optimizer.get_config()
    assert CayleyAdam.from_config(config).get_config() == optimizer.get_config()
