import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latentloom.augment import REASONS, QualityGate

ROWS = np.array(
    [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [np.nan, 1.0], [0.5, 0.5], [np.inf, 0.0]], np.float32
)
EXPECTED = np.zeros(6, int)


def reasons(verdicts):
    return [REASONS[code] for code in verdicts.reason]


def test_each_row_gets_its_reason():
    verdicts = QualityGate(min_confidence=0.7).judge(ROWS, EXPECTED)
    assert reasons(verdicts) == [
        "accepted",
        "wrong_class",
        "low_confidence",
        "not_finite",
        "low_confidence",
        "not_finite",
    ]
    assert verdicts.accepted.tolist() == [True] + [False] * 5
    assert verdicts.reason.dtype == np.int8


def test_confidence_is_the_probability_of_the_expected_class():
    verdicts = QualityGate().judge(ROWS, np.array([0, 1, 1, 0, 0, 0]))
    np.testing.assert_array_equal(
        verdicts.confidence, np.array([0.9, 0.8, 0.4, 0, 0.5, 0], np.float32)
    )
    assert verdicts.confidence.dtype == np.float32


@pytest.mark.parametrize("expected", [0, 1])
def test_a_tie_is_not_the_wrong_class_whichever_comes_first(expected):
    assert QualityGate().judge(ROWS[4:5], np.array([expected])).accepted.all()


def test_confidence_at_the_threshold_is_enough():
    assert QualityGate(min_confidence=0.9).judge(ROWS[:1], EXPECTED[:1]).accepted.all()


def test_a_gate_that_is_off_accepts_all_and_still_reports_confidence():
    verdicts = QualityGate(min_confidence=0.99, enabled=False).judge(ROWS, EXPECTED)
    assert verdicts.accepted.all()
    assert reasons(verdicts) == ["accepted"] * 6
    np.testing.assert_array_equal(
        verdicts.confidence, np.array([0.9, 0.2, 0.6, 0, 0.5, 0], np.float32)
    )


@given(
    arrays(np.float32, (7, 3), elements=st.floats(0, 1, width=32)),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_higher_threshold_never_accepts_more(probabilities, first, second):
    low, high = sorted([first, second])
    expected = np.arange(7) % 3
    strict = QualityGate(high).judge(probabilities, expected)
    lenient = QualityGate(low).judge(probabilities, expected)
    assert (strict.accepted <= lenient.accepted).all()
    np.testing.assert_array_equal(strict.accepted, strict.reason == 0)


def test_counts_add_up_and_have_every_reason():
    counts = QualityGate(min_confidence=0.7).judge(ROWS, EXPECTED).counts()
    assert counts == {"accepted": 1, "not_finite": 2, "wrong_class": 1, "low_confidence": 2}


def test_no_variants_get_no_verdicts():
    verdicts = QualityGate().judge(np.zeros((0, 3)), np.zeros(0, int))
    assert verdicts.counts() == dict.fromkeys(REASONS, 0)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, np.nan])
def test_an_impossible_threshold_is_refused(threshold):
    with pytest.raises(ValueError, match="Pass a probability"):
        QualityGate(min_confidence=threshold)


@pytest.mark.parametrize("shape", [(6,), (6, 0), (6, 2, 1)])
def test_an_output_without_classes_is_refused(shape):
    with pytest.raises(ValueError, match="Pass one row of probabilities"):
        QualityGate().judge(np.zeros(shape), EXPECTED)


def test_one_class_is_expected_per_row():
    with pytest.raises(ValueError, match="Pass one value per row"):
        QualityGate().judge(ROWS, EXPECTED[1:])


@pytest.mark.parametrize("label", [-1, 2])
def test_a_class_the_judge_does_not_know_is_refused(label):
    with pytest.raises(ValueError, match="Use the judge that was trained on these classes"):
        QualityGate().judge(ROWS[:1], np.array([label]))


def test_logits_are_not_probabilities():
    with pytest.raises(ValueError, match="Apply softmax"):
        QualityGate().judge(np.array([[3.0, -2.0]]), np.array([0]))


BACK = np.array([[0.1, 0.9], [0.3, 0.7], [0.9, 0.1], [0.5, 0.5], [0.5, 0.5], [0.2, 0.8]])
EXPECTED_BACK = np.array([1, 1, 1, 0, 0, 1])


def judge_both(gate):
    return gate.judge_factors(
        {"label": ROWS, "back": BACK, "size": BACK}, {"back": EXPECTED_BACK, "label": EXPECTED}
    )


def test_a_variant_is_accepted_if_every_expected_factor_is_read_back():
    verdicts = judge_both(QualityGate(min_confidence=0.6))
    assert [verdicts.reasons[code] for code in verdicts.reason] == [
        "accepted",
        "wrong_class",
        "wrong_back",
        "not_finite",
        "low_confidence",
        "not_finite",
    ]
    assert verdicts.accepted.tolist() == [True] + [False] * 5
    assert verdicts.counts() == {
        **{"accepted": 1, "not_finite": 2, "wrong_class": 1, "low_confidence": 1},
        "wrong_back": 1,
    }


def test_each_factor_has_a_confidence_of_its_own():
    verdicts = judge_both(QualityGate())
    alone = QualityGate().judge(ROWS, EXPECTED)
    np.testing.assert_array_equal(verdicts.confidence, alone.confidence)
    assert list(verdicts.confidences) == ["back"]
    expected = np.take_along_axis(BACK, EXPECTED_BACK[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(verdicts.confidences["back"], expected)


def test_each_factor_has_a_threshold_of_its_own():
    strict = judge_both(QualityGate(0.6, min_confidence_of={"back": 0.95}))
    assert not strict.accepted.any()
    lenient = judge_both(QualityGate(0.95, min_confidence_of={"label": 0.9, "back": 0.9}))
    assert lenient.accepted.tolist() == [True] + [False] * 5
    with pytest.raises(ValueError, match="Pass a probability"):
        QualityGate(min_confidence_of={"back": 2.0})


def test_an_ignored_factor_rejects_nothing_and_its_confidence_is_told():
    verdicts = judge_both(QualityGate(0.6, ignored=["label"]))
    assert verdicts.accepted.tolist() == (BACK[np.arange(6), EXPECTED_BACK] >= 0.6).tolist()
    np.testing.assert_array_equal(verdicts.confidence, judge_both(QualityGate()).confidence)
    alone = judge_both(QualityGate(0.0, ignored=["back"]))
    np.testing.assert_array_equal(alone.accepted, QualityGate().judge(ROWS, EXPECTED).accepted)
    assert QualityGate(1.0, ignored=["label"]).judge(ROWS, EXPECTED).accepted.all()


def test_with_the_class_alone_judging_factors_is_judging():
    for gate in (QualityGate(0.7), QualityGate(0.7, enabled=False)):
        one, other = gate.judge(ROWS, EXPECTED), judge_label(gate)
        np.testing.assert_array_equal(one.reason, other.reason)
        np.testing.assert_array_equal(one.confidence, other.confidence)
        assert one.counts() == other.counts()


def judge_label(gate):
    return gate.judge_factors({"label": ROWS}, {"label": EXPECTED, "back": EXPECTED_BACK})


def test_a_gate_that_is_off_accepts_every_factor():
    assert judge_both(QualityGate(1.0, enabled=False)).accepted.all()
