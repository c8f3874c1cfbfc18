import csv

import keras
import numpy as np
import pytest

from latentloom.model_zoo.training.checkpoints import Checkpoints, history_csv


@pytest.fixture
def run(noisy_line, tmp_path):
    """Returns a function that makes a compiled model, with checkpoints that belong to it."""

    def make(patience=0):
        model = noisy_line()
        model.compile(keras.optimizers.Adam(0.1))
        model.optimizer.build(model.trainable_variables)
        checkpoints = Checkpoints(tmp_path / "state", "val_error", patience)
        checkpoints.set_model(model)
        return model, checkpoints

    return make


def end_epochs(model, checkpoints, figures):
    """Ends one epoch for each figure, the bias of the model set to the number of the epoch."""
    for epoch, figure in enumerate(figures, start=checkpoints.next_epoch):
        model.dense.bias.assign(np.full(4, epoch))
        checkpoints.on_epoch_end(epoch, {"val_error": figure})


def bias(model):
    return model.dense.bias.numpy()[0]


def test_a_new_run_begins_at_the_beginning(run):
    model, checkpoints = run()
    before = bias(model)
    checkpoints.restore(model)
    assert checkpoints.next_epoch == 0
    assert bias(model) == before


def test_the_last_epoch_is_restored(run):
    end_epochs(*run(), [3.0, 1.0, 2.0])
    model, checkpoints = run()
    checkpoints.restore(model)
    assert checkpoints.next_epoch == 3
    assert (checkpoints.best, checkpoints.best_epoch) == (1.0, 1)
    assert bias(model) == 2


def test_optimizer_and_random_state_are_restored(run):
    model, checkpoints = run()
    model.optimizer.iterations.assign(17)
    model.noise.state.assign([5, 6])
    model.dropout.seed_generator.state.assign([7, 8])
    end_epochs(model, checkpoints, [1.0])
    restored, checkpoints = run()
    checkpoints.restore(restored)
    assert int(restored.optimizer.iterations) == 17
    assert restored.noise.state.numpy().tolist() == [5, 6]
    assert restored.dropout.seed_generator.state.numpy().tolist() == [7, 8]


def test_the_best_weights_are_restored(run):
    model, checkpoints = run()
    end_epochs(model, checkpoints, [3.0, 1.0, 2.0])
    checkpoints.restore_best(model)
    assert bias(model) == 1


def test_only_the_last_and_the_best_weights_are_kept(run, tmp_path):
    end_epochs(*run(), [3.0, 1.0, 2.0, 2.0])
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == [
        "00001-best.weights.h5",
        "00003-last.weights.h5",
        "state.json",
    ]


def test_files_of_an_epoch_that_did_not_finish_change_nothing(run, tmp_path):
    end_epochs(*run(), [3.0])
    for name in (".00001-last.tmp.weights.h5", "00001-last.weights.h5", ".state.json.tmp"):
        (tmp_path / "state" / name).write_bytes(b"cut off")
    model, checkpoints = run()
    checkpoints.restore(model)
    assert checkpoints.next_epoch == 1
    assert bias(model) == 0


@pytest.mark.parametrize(
    ("figures", "stops"),
    [
        ([3.0, 2.0, 2.5], False),
        ([3.0, 2.0, 2.5, 2.0], True),
        ([3.0, 2.0, 2.5, 1.9], False),
        ([3.0, 2.0, 2.5, 1.9, 2.0], False),
    ],
)
def test_patience_counts_epochs_without_progress(run, figures, stops):
    model, checkpoints = run(patience=2)
    model.stop_training = False
    end_epochs(model, checkpoints, figures)
    assert checkpoints.is_finished is stops
    assert model.stop_training is stops


def test_no_patience_never_stops(run):
    model, checkpoints = run(patience=0)
    model.stop_training = False
    end_epochs(model, checkpoints, [1.0] * 5)
    assert not model.stop_training


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_divergence_names_the_fix_and_keeps_the_last_good_epoch(run, figure):
    model, checkpoints = run()
    end_epochs(model, checkpoints, [3.0])
    with pytest.raises(FloatingPointError, match=r"epoch 1.*Lower `train\.learning_rate`"):
        end_epochs(model, checkpoints, [figure])
    restored, checkpoints = run()
    checkpoints.restore(restored)
    assert checkpoints.next_epoch == 1
    assert bias(restored) == 0


def test_history_is_one_row_an_epoch(tmp_path):
    history = [{"epoch": 0, "loss": 0.5}, {"epoch": 1, "loss": 0.25}]
    (tmp_path / "history.csv").write_bytes(history_csv(history))
    with (tmp_path / "history.csv").open() as file:
        assert list(csv.DictReader(file)) == [
            {"epoch": "0", "loss": "0.5"},
            {"epoch": "1", "loss": "0.25"},
        ]


@pytest.mark.parametrize(
    "state", ["", "[]", "{}", '{"history": 3, "best": 1, "best_epoch": 0, "last_weights": "x"}']
)
def test_a_damaged_state_is_refused_by_name(run, tmp_path, state):
    end_epochs(*run(), [1.0])
    (tmp_path / "state" / "state.json").write_text(state)
    model, checkpoints = run()
    with pytest.raises(ValueError, match=r"state\.json' cannot be read.*--overwrite"):
        checkpoints.restore(model)


def test_damaged_weights_of_a_state_are_refused_by_name(run, tmp_path):
    end_epochs(*run(), [1.0])
    weights = tmp_path / "state" / "00000-last.weights.h5"
    weights.write_bytes(weights.read_bytes()[:900])
    model, checkpoints = run()
    with pytest.raises(ValueError, match=r"last\.weights\.h5' cannot be read.*--overwrite"):
        checkpoints.restore(model)


def test_a_model_whose_epochs_no_figure_compares_ends_with_the_last(noisy_line, tmp_path):
    model = noisy_line()
    model.compile(keras.optimizers.Adam(0.1))
    model.optimizer.build(model.trainable_variables)
    checkpoints = Checkpoints(tmp_path, "val_error", patience=1, keeps_last=True)
    checkpoints.set_model(model)
    end_epochs(model, checkpoints, [1.0, 2.0, 3.0])
    assert not checkpoints.is_finished
    checkpoints.restore_best(model)
    assert bias(model) == 2
