"""The fused Adam steps as Keras' Adam does, on its own and where it stands aside."""

import keras
import numpy as np
import pytest

from latentloom.model_zoo.optimizers import FusedAdam

GRADIENTS = np.random.default_rng(0).normal(size=(25, 4, 3)).astype("float32")


def trained(optimizer, gradients=GRADIENTS):
    """A variable and the state after steps as `fit` takes them on either backend."""
    variable = keras.Variable(np.ones(gradients.shape[1:], "float32"))
    optimizer.build([variable])
    for gradient in gradients:
        if keras.backend.backend() == "tensorflow":
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
            continue
        state = [v.value for v in optimizer.variables]
        (value,), state = optimizer.stateless_apply(state, [gradient], [variable.value])
        for one, new in zip((variable, *optimizer.variables), (value, *state), strict=True):
            one.assign(new)
    return [v.numpy() for v in (variable, *optimizer.variables)]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"beta_1": 0.5, "epsilon": 1e-3},
        {"amsgrad": True},
        {"gradient_accumulation_steps": 5},
        {"weight_decay": 0.01},
    ],
)
def test_it_steps_as_adam_of_keras(arguments):
    schedules = [keras.optimizers.schedules.CosineDecay(0.1, 30) for _ in range(2)]
    ours = trained(FusedAdam(schedules[0], **arguments))
    theirs = trained(keras.optimizers.Adam(schedules[1], **arguments))
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
    assert np.abs(ours[0] - 1.0).max() > 0.1


def test_it_comes_back_from_its_config():
    restored = FusedAdam.from_config(FusedAdam(0.01, beta_1=0.5).get_config())
    assert isinstance(restored, FusedAdam)
    assert (float(restored.learning_rate), restored.beta_1) == (pytest.approx(0.01), 0.5)
