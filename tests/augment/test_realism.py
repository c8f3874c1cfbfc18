"""The gate for realism: bounds from held-out examples, and reasons after those of the class."""

import numpy as np
import pytest

from latentloom.augment import REALISM_CHECKS, QualityGate, RealismGate


def held_out(number: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=number) for name in REALISM_CHECKS}


def inside(gate: RealismGate, statistics: dict[str, np.ndarray]) -> np.ndarray:
    return np.logical_and.reduce(
        [
            (low <= statistics[name]) & (statistics[name] <= high)
            for name, (low, high) in gate.bounds.items()
        ]
    )


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.3])
def test_all_checks_together_refuse_the_share_and_no_more(share):
    statistics = held_out(2000)
    refused = 1 - inside(RealismGate.calibrated(statistics, share), statistics).mean()
    assert share - 0.005 <= refused <= share + 1e-9


@pytest.mark.parametrize("number", [20, 50, 100])
def test_a_few_held_out_examples_do_not_make_the_gate_much_stricter(number):
    new, refused = held_out(2000, seed=1), []
    for seed in range(2, 30):
        gate = RealismGate.calibrated(held_out(number, seed), 0.05)
        refused.append(1 - inside(gate, new).mean())
    assert np.mean(refused) < 0.1


def test_sides_that_mean_nothing_are_open():
    bounds = RealismGate.calibrated(held_out(500), 0.05).bounds
    assert bounds["distance"][0] == -np.inf  # near a real example
    assert bounds["density"][1] == np.inf  # a likely code
    assert np.isfinite([*bounds["gradient"], *bounds["fineness"]]).all()


def test_reasons_of_the_class_go_first():
    gate = RealismGate({"distance": (-np.inf, 1.0), "gradient": (-1.0, 1.0), "density": (0, 9)})
    of_class = QualityGate(0.5).judge(
        np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1]]),
        np.zeros(6, np.int64),
    )
    both = gate.judge(
        of_class,
        {
            "distance": np.array([0.0, 2.0, 0.0, 0.0, 2.0, 2.0]),
            "gradient": np.array([0.0, 0.0, -2.0, 0.0, 0.0, 2.0]),
            "density": np.array([1.0, 1.0, 1.0, np.nan, 1.0, 1.0]),
        },
    )
    assert [both.reasons[code] for code in both.reason] == [
        *("accepted", "unlike_real", "wrong_detail", "unlikely_code", "wrong_class", "unlike_real")
    ]
    assert both.counts()["unlike_real"] == 2
    assert both.accepted.tolist() == [True] + [False] * 5
    assert both.of_class.tolist() == [True, True, True, True, False, True]
    assert both.realistic.tolist() == [True] + [False] * 5


def test_without_held_out_examples_there_is_no_gate():
    with pytest.raises(ValueError, match=r"Received: 0 examples.*Pass some"):
        RealismGate.calibrated({}, 0.05)
