import keras
import numpy as np
import pytest

from latentloom.model_zoo.scaling import PIXELS, Standardization
from latentloom.model_zoo.training.batches import Batches, epoch_order, fed_to_device
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule

RANGE = {"value_range": (-1.0, 1.0)}
on_tensorflow = pytest.mark.skipif(keras.backend.backend() == "jax", reason="of TensorFlow alone")


@pytest.fixture
def examples():
    """Ten images, the label of each the value of its pixels."""
    labels = np.arange(10)
    return np.broadcast_to(labels[:, None, None, None], (10, 2, 2, 1)).astype(np.uint8), labels


def orders(batches):
    """Labels of all batches, one list a batch."""
    return [batches[index][1].tolist() for index in range(len(batches))]


def test_pixels_fill_the_range():
    scaled = PIXELS.to_model(np.array([0, 51, 255], np.float32), (-1.0, 1.0))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, [-1.0, -0.6, 1.0], atol=1e-6)
    assert scaled.max() <= 1.0


def test_images_stay_with_their_labels(examples):
    for images, labels in (Batches(*examples, batch_size=4, seed=1, **RANGE)[i] for i in range(3)):
        np.testing.assert_array_equal(
            images, PIXELS.to_model(examples[0][labels].astype(np.float32), RANGE["value_range"])
        )
        assert labels.dtype == np.int32


def test_every_example_comes_once_an_epoch(examples):
    batches = Batches(*examples, batch_size=4, seed=1, epochs=range(3), **RANGE)
    labels = orders(batches)
    assert [len(batch) for batch in labels] == [4, 4, 2] * 3
    for epoch in range(3):
        assert sorted(sum(labels[3 * epoch : 3 * epoch + 3], [])) == list(range(10))


def test_order_depends_on_seed_and_epoch_alone(examples):
    images, labels = examples
    first = Batches(images, labels, batch_size=4, seed=1, epochs=range(2), **RANGE)
    again = Batches(255 - images, labels, batch_size=4, seed=1, epochs=range(2), **RANGE)
    other = Batches(images, labels, batch_size=4, seed=2, epochs=range(2), **RANGE)
    np.random.seed(7)  # noqa: NPY002
    assert orders(again) == orders(first)
    assert orders(other) != orders(first)
    assert orders(first)[:3] != orders(first)[3:]


def test_order_is_the_same_in_every_process_and_release():
    assert epoch_order(10, 0, 0).tolist() == [0, 3, 4, 1, 7, 6, 9, 5, 8, 2]


def test_starting_at_a_later_epoch_gives_the_same_batches(examples):
    whole = Batches(*examples, batch_size=4, seed=1, epochs=range(5), **RANGE)
    rest = Batches(*examples, batch_size=4, seed=1, epochs=range(2, 5), **RANGE)
    assert orders(rest) == orders(whole)[6:]


def test_without_a_seed_the_order_is_kept(examples):
    assert orders(Batches(*examples, batch_size=4, **RANGE)) == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]


def test_every_batch_can_be_divided_among_the_devices(examples):
    batches = Batches(*examples, batch_size=5, seed=1, epochs=range(2), divisor=4, **RANGE)
    assert [len(labels) for _, labels in (batches[i] for i in range(len(batches)))] == [4, 4] * 2


def test_what_is_over_differs_between_epochs(examples):
    batches = Batches(*examples, batch_size=4, seed=1, epochs=range(9), divisor=4, **RANGE)
    shown = [set(sum(orders(batches)[2 * epoch : 2 * epoch + 2], [])) for epoch in range(9)]
    assert {len(some) for some in shown} == {8}
    assert set().union(*shown) == set(range(10))


def test_an_epoch_is_a_whole_number_of_executions(examples):
    batches = Batches(*examples, batch_size=2, seed=1, epochs=range(3), steps_divisor=2, **RANGE)
    assert (batches.steps_per_epoch, len(batches)) == (4, 12)


@pytest.mark.parametrize("divisors", [{"divisor": 11}, {"steps_divisor": 4}])
def test_too_few_examples_for_a_step_are_refused(examples, divisors):
    with pytest.raises(ValueError, match="too few examples for a step.*Received: examples=10"):
        Batches(*examples, batch_size=4, **divisors, **RANGE)


def test_without_an_accelerator_batches_are_fed_as_they_are(examples):
    batches = Batches(*examples, batch_size=4, **RANGE)
    assert fed_to_device(batches) is batches


@on_tensorflow
def test_batches_come_to_the_device_in_their_order(examples):
    batches = Batches(*examples, batch_size=4, seed=2, epochs=range(2), **RANGE)
    fed = [(np.asarray(x), np.asarray(y)) for x, y in fed_to_device(batches, "cpu:0")]
    assert [labels.tolist() for _, labels in fed] == orders(batches)
    np.testing.assert_array_equal(fed[3][0], batches[3][0])


class Witness(keras.Model):
    """Learns nothing and writes down which labels it is shown; on JAX it would see tracers."""

    value_range = (-1.0, 1.0)
    monitor = "val_nothing"

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.dense.build((None, 1))
        self.built = True
        self.seen, self.seen_in_validation = [], []

    def compile(self, *args, **kwargs):
        super().compile(*args, **{**kwargs, "run_eagerly": True})
        self.optimizer.build(self.trainable_variables)

    def train_step(self, data):
        self.seen.append(data[1].numpy().tolist())
        return {"nothing": 0.0}

    def test_step(self, data):
        self.seen_in_validation.append(data[1].numpy().tolist())
        return {"nothing": 0.0}


@on_tensorflow
def test_fit_sees_the_order_of_the_batches(examples, tmp_path):
    witness = Witness()
    fit(witness, examples, examples, Schedule(epochs=3, batch_size=4, seed=5), tmp_path)
    expected = Batches(*examples, batch_size=4, seed=5, epochs=range(3), **RANGE)
    assert list(witness.seen) == orders(expected)
    assert list(witness.seen_in_validation) == orders(Batches(*examples, batch_size=4, **RANGE)) * 3


@on_tensorflow
def test_fit_sees_the_same_order_in_a_broken_run(examples, interruption, tmp_path):
    schedule = Schedule(epochs=4, batch_size=4, seed=5)
    broken, resumed = Witness(), Witness()
    with pytest.raises(KeyboardInterrupt):
        fit(broken, examples, examples, schedule, tmp_path, [interruption(epoch=1)])
    fit(resumed, examples, examples, schedule, tmp_path)
    expected = Batches(*examples, batch_size=4, seed=5, epochs=range(4), **RANGE)
    assert list(broken.seen) + list(resumed.seen) == orders(expected)


def test_vectors_are_scaled_as_their_scaling_says():
    vectors, labels = np.arange(20, dtype=np.float32).reshape(10, 2), np.arange(10)
    scaling = Standardization.fit(vectors)
    batches = Batches(vectors, labels, batch_size=10, scaling=scaling, **RANGE)
    observations, _ = batches[0]
    np.testing.assert_array_equal(observations, scaling.to_model(vectors, (-1.0, 1.0)))
