"""One optimizer made of several steps each variable as its own optimizer would."""

import keras
import numpy as np
import pytest
from keras.optimizers import SGD, Adam
from keras.optimizers.schedules import CosineDecay

from latentloom.model_zoo.optimizers import Grouped

BACKEND = keras.backend.backend()
STEPS = np.random.default_rng(1).normal(size=(7, 2, 3)).astype("float32")
"""Gradients of two variables, step by step."""


def pair():
    """Two variables to train."""
    return [keras.Variable(np.ones(3, "float32"), name=name) for name in ("left", "right")]


def step(optimizer, variables, gradients):
    """Steps some variables as `fit` does on either backend."""
    tensors = [g if g is None else keras.ops.convert_to_tensor(g) for g in gradients]
    if BACKEND == "tensorflow":
        optimizer.apply(tensors, variables)
        return
    state = [variable.value for variable in optimizer.variables]
    values = [variable.value for variable in variables]
    values, state = optimizer.stateless_apply(state, tensors, values)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    for variable, value in zip(optimizer.variables, state, strict=True):
        variable.assign(value)


def trained(optimizer, variables, steps=STEPS):
    """Values after some steps."""
    optimizer.build(variables)
    for gradients in steps:
        step(optimizer, variables, gradients)
    return [variable.numpy() for variable in variables]


def separately(left, right):
    """Values after the same steps, each variable with its optimizer."""
    variables = pair()
    return [
        trained(optimizer, [variable], STEPS[:, [index]])[0]
        for index, (optimizer, variable) in enumerate(zip((left, right), variables, strict=True))
    ]


def of_right(variables, optimizer, default=None):
    """A `Grouped` whose group "right" is the second variable."""
    return Grouped({"right": (variables[1:], optimizer)}, default or Adam(0.1))


def assert_equal(values, expected):
    for value, other in zip(values, expected, strict=True):
        np.testing.assert_array_equal(value, other)


# --- Steps ------------------------------------------------------------------------------------


def test_one_group_of_all_is_the_optimizer_itself():
    expected = trained(Adam(0.1), pair())
    variables = pair()
    assert_equal(trained(Grouped({"all": (variables, Adam(0.1))}, SGD(1.0)), variables), expected)
    assert_equal(trained(Grouped({}, Adam(0.1)), pair()), expected)


def test_every_group_is_stepped_as_if_alone():
    variables = pair()
    values = trained(of_right(variables, Adam(0.01)), variables)
    assert_equal(values, separately(Adam(0.1), Adam(0.01)))


def test_every_group_follows_its_schedule_and_counts_its_accumulated_steps():
    def left():
        return Adam(CosineDecay(0.1, 5), gradient_accumulation_steps=3)

    def right():
        return SGD(CosineDecay(0.3, 9), momentum=0.9, clipnorm=0.5, gradient_accumulation_steps=2)

    variables = pair()
    optimizer = of_right(variables, right(), left())
    assert_equal(trained(optimizer, variables), separately(left(), right()))
    assert [int(each.iterations) for each in optimizer.optimizers] == [3, 2]


def test_iterations_and_rate_are_those_of_the_default():
    variables = pair()
    optimizer = of_right(variables, SGD(0.5), Adam(0.1, gradient_accumulation_steps=2))
    trained(optimizer, variables)
    assert int(optimizer.iterations) == 3
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.learning_rate = 0.2
    assert [float(each.learning_rate) for each in optimizer.optimizers] == pytest.approx([0.5, 0.2])


def test_a_default_without_variables_counts_the_steps():
    variables = pair()
    optimizer = Grouped({"all": (variables, Adam(0.1))}, SGD(1.0))
    trained(optimizer, variables)
    assert int(optimizer.iterations) == len(STEPS)


@pytest.mark.parametrize("missing", [0, 1])
def test_a_missing_gradient_is_told_and_its_variable_stands_still(missing):
    steps = [
        [None if index == missing else gradient for index, gradient in enumerate(gradients)]
        for gradients in STEPS
    ]
    steps[0] = STEPS[0]
    with pytest.warns(UserWarning, match="Gradients do not exist for variables"):
        expected = trained(Adam(0.1), pair(), [*steps, STEPS[0]])
    variables = pair()
    with pytest.warns(UserWarning, match="Gradients do not exist for variables"):
        values = trained(of_right(variables, Adam(0.1)), variables, [*steps, STEPS[0]])
    assert_equal(values, expected)


def test_no_gradient_at_all_is_an_error():
    variables = pair()
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        trained(of_right(variables, Adam(0.1)), variables, [[None, None]])


def test_averages_of_a_group_replace_its_values_in_the_end():
    variables, alone = pair(), pair()[1:]
    optimizer, averaging = of_right(variables, SGD(0.1, use_ema=True)), SGD(0.1, use_ema=True)
    trained(optimizer, variables)
    trained(averaging, alone, STEPS[:, [1]])
    optimizer.finalize_variable_values(variables)
    averaging.finalize_variable_values(alone)
    assert_equal([variables[1].numpy()], [alone[0].numpy()])


def test_the_config_of_groups_without_variables_is_refused():
    with pytest.raises(ValueError, match=r"Call `optimizer\.build"):
        of_right(pair(), SGD(0.1)).get_config()


def test_weights_are_set_as_they_are_read():
    first, second = pair(), pair()
    optimizer, other = of_right(first, SGD(0.5)), of_right(second, SGD(0.1))
    trained(optimizer, first)
    other.build(second)
    other.set_weights([variable.numpy() for variable in optimizer.variables])
    assert_equal(
        [variable.numpy() for variable in other.variables],
        [variable.numpy() for variable in optimizer.variables],
    )


# --- Mistakes ---------------------------------------------------------------------------------


def test_a_group_without_variables_is_refused():
    optimizer = Grouped({"critic": (keras.layers.Dense(1), SGD(0.1))}, Adam())
    with pytest.raises(ValueError, match="Group 'critic' has no variables.*drop the group"):
        optimizer.build(pair())


def test_a_group_of_another_model_is_refused():
    optimizer = Grouped({"critic": (pair(), SGD(0.1))}, Adam())
    with pytest.raises(ValueError, match="Group 'critic' .*not trained.* 2 .*'?left'?.* Take it"):
        optimizer.build(pair())


def test_a_variable_in_two_groups_is_refused():
    variables = pair()
    groups = {"both": (variables, SGD(0.1)), "right": (variables[1:], SGD(0.1))}
    with pytest.raises(ValueError, match="'right' in 'both' and 'right'. Take it out"):
        Grouped(groups, Adam()).build(variables)


@pytest.mark.parametrize("part", ["critic", None, 3, ["left"]])
def test_a_part_is_a_layer_or_variables(part):
    with pytest.raises(TypeError, match=r"Pass for example \(model\.critic"):
        Grouped({"critic": (part, SGD(0.1))}, Adam())


@pytest.mark.parametrize("group", ["sgd", (pair, "sgd"), ()])
def test_a_group_has_a_part_and_an_optimizer(group):
    with pytest.raises(TypeError, match=r"Expected: \(layer or variables, optimizer\)"):
        Grouped({"critic": group}, Adam())


@pytest.mark.parametrize("name", ["default", "a/b"])
def test_a_name_that_state_cannot_have_is_refused(name):
    with pytest.raises(ValueError, match="Rename the group"):
        Grouped({name: (pair(), SGD(0.1))}, Adam())


def test_an_optimizer_serves_one_group():
    shared, used = SGD(0.1), SGD(0.1)
    used.build(pair())
    for optimizer, default in ((shared, shared), (used, Adam())):
        with pytest.raises(ValueError, match="Make another"):
            of_right(pair(), optimizer, default)


def test_the_loss_is_scaled_for_all_groups_or_none():
    for scaling in (SGD(0.1, loss_scale_factor=8.0), keras.optimizers.LossScaleOptimizer(SGD(0.1))):
        with pytest.raises(ValueError, match="Wrap the whole in a LossScaleOptimizer"):
            of_right(pair(), scaling)
