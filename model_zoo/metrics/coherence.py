"""Topic coherence: how often the top words of a topic occur in the same document."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array


def top_words(topics: np.ndarray, number: int = 10) -> np.ndarray:
    """Returns the words with the largest weights of every topic, largest first.

    Args:
        topics: `(topics, words)` weights. If weights can be negative, only the positive direction
            counts.
        number: Integer, number of words a topic.

    Returns:
        Indices of words, int64 of shape `(topics, number)`, fewer if there are fewer words; for
        equal weights the lower index first.
    """
    return np.argsort(-topics, axis=1, kind="stable")[:, :number]


def npmi(words: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Normalised pointwise mutual information, averaged over the pairs of words of each topic.

    `P` is the share of documents that contain a word, or both words of a pair. The NPMI of a pair
    is `log(P(a, b) / (P(a) P(b))) / -log P(a, b)`: -1 for words that never occur together, 0 for
    independent words, 1 for words that always occur together. A pair in every document counts as 1.

    Reference:
        Bouma, Normalized (pointwise) mutual information in collocation extraction, GSCL 2009; Lau
        et al., Machine Reading Tea Leaves, EACL 2014, for topics. Deviates: the windows are whole
        documents of the reference corpus.

    Args:
        words: Indices of words, `(topics, number)`, two or more distinct words a topic.
        counts: `(documents, words)` of a reference corpus, at least one document.

    Returns:
        float64 of shape `(topics,)`, in `[-1, 1]`.

    Raises:
        ValueError: There are no pairs or no documents.
    """
    if words.ndim != 2 or words.shape[1] < 2 or not len(counts):
        raise ValueError(
            "Coherence needs pairs of words and documents. Expected: two words a topic or more, "
            f"and a document. Received: words {words.shape}, counts {counts.shape}. Give more."
        )
    used, places = np.unique(words, return_inverse=True)
    occurs = csr_array((counts[:, used] > 0).astype(np.float64))
    together = (occurs.T @ occurs).toarray() / len(counts)
    first, second = np.triu_indices(words.shape[1], k=1)
    rows = places.reshape(words.shape)
    joint = together[rows[:, first], rows[:, second]]
    alone = np.diag(together)
    expected = alone[rows[:, first]] * alone[rows[:, second]]
    figures = np.full(joint.shape, -1.0)
    some = (joint > 0) & (joint < 1)
    figures[some] = np.log(joint[some] / expected[some]) / -np.log(joint[some])
    figures[joint == 1] = 1.0
    return figures.mean(axis=1)
