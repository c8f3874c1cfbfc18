"""A small archive of bags of words whose topics are known: each class has words of its own."""

from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

TOPICS = {
    "space": ["orbit", "moon", "rocket", "shuttle", "nasa", "launch"],
    "sport": ["team", "game", "season", "goal", "coach", "league"],
    "faith": ["god", "church", "belief", "prayer", "bible", "faith"],
}
COMMON = ["people", "time", "year", "thing"]
VOCABULARY = [*COMMON, *(word for words in TOPICS.values() for word in words)]
EMPTY = {"train": (3, 17), "test": (5,)}
"""Documents without a word."""


def bag_of_words(count: int, empty: tuple[int, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts `(count, words)` and labels `(count,)`; eight of ten words are of the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(TOPICS)
    shares = np.full((len(TOPICS), len(VOCABULARY)), 0.2 / len(VOCABULARY))
    for label, words in enumerate(TOPICS.values()):
        shares[label, [VOCABULARY.index(word) for word in words]] += 0.8 / len(words)
    shares /= shares.sum(axis=1, keepdims=True)
    lengths = rng.integers(8, 40, count)
    lengths[list(empty)] = 0
    return rng.multinomial(lengths, shares[labels]), labels


def arrays(train: int = 240, test: int = 60) -> dict[str, np.ndarray]:
    """What the archive holds: sparse rows of two splits, their labels and the words."""
    found = {"vocab": np.array(VOCABULARY), "groups": np.array(list(TOPICS))}
    for seed, (split, count) in enumerate({"train": train, "test": test}.items()):
        counts, labels = bag_of_words(count, EMPTY[split], seed)
        rows = csr_array(counts)
        parts = {"data": rows.data, "indices": rows.indices, "indptr": rows.indptr}
        found |= {f"{split}_{name}": part for name, part in parts.items()}
        found[f"{split}_labels"] = labels
    return found


def save(folder: Path, **changes) -> str:
    """Writes the archive with some arrays changed, or left out where they are `None`."""
    contents = {k: v for k, v in (arrays() | changes).items() if v is not None}
    np.savez(folder / "bags.npz", **contents)  # type: ignore[arg-type]
    return f"npz:{folder / 'bags.npz'}"
