"""Labels are doubted only if all classifiers prefer the same other class."""

import numpy as np

from latentloom.model_zoo.metrics.label_errors import doubted_labels

SURE = np.array([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]])


def test_a_label_that_both_contradict_alike_is_doubted():
    truth = np.arange(30) % 3
    labels = truth.copy()
    labels[4] = 2  # of class 1
    rows, preferred = doubted_labels([SURE[truth], SURE[truth]], labels)
    assert rows.tolist() == [4]
    assert preferred[4] == 1


def test_a_label_stays_if_the_two_disagree_or_allow_it():
    truth = np.arange(30) % 3
    labels = truth.copy()
    labels[4] = 2
    other = SURE[truth].copy()
    other[4] = SURE[0]
    assert len(doubted_labels([SURE[truth], other], labels)[0]) == 0
    unsure = SURE[truth].copy()
    unsure[4] = [0.0, 0.55, 0.45]
    assert len(doubted_labels([unsure, unsure], labels)[0]) == 0
