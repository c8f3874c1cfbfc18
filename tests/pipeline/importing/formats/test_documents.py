import bags
import numpy as np
import pytest

from latentloom.pipeline.dataset.examples import LeftOut
from latentloom.pipeline.importing.open_source import open_source
from latentloom.pipeline.importing.source import vocabulary_of

ARRAYS = bags.arrays()
DATA, INDICES = ARRAYS["train_data"], ARRAYS["train_indices"]


def changed(array: np.ndarray, value, place: int = 2) -> np.ndarray:
    array = array.astype(type(value))
    array[place] = value
    return array


def test_counts_labels_and_words_are_those_of_the_archive(tmp_path):
    source = open_source(bags.save(tmp_path))
    assert (source.observation, source.observation_shape) == ("counts", (len(bags.VOCABULARY),))
    assert source.factors == {"label": list(bags.TOPICS)}
    assert vocabulary_of(source) == bags.VOCABULARY
    assert source.splits == {"train": 240, "test": 60}
    ((examples, _),) = source.batches("test")
    counts, labels = bags.bag_of_words(60, bags.EMPTY["test"], 1)
    kept = np.array([int(place) for place in examples.ids])
    np.testing.assert_array_equal(examples.observations, counts[kept])
    np.testing.assert_array_equal(examples.labels, labels[kept])
    assert examples.observations.dtype == np.int32


def test_empty_documents_are_left_out_and_others_keep_their_ids(tmp_path):
    ((examples, letters),) = open_source(bags.save(tmp_path)).batches("train")
    assert [(type(letter), letter.shard, letter.record) for letter in letters] == [
        (LeftOut, "train", place) for place in bags.EMPTY["train"]
    ]
    assert "no word of the vocabulary" in letters[0].reason
    assert sorted({*range(240)} - {int(place) for place in examples.ids}) == [3, 17]


def test_a_sample_counts_its_own_empty_documents(tmp_path):
    source = open_source(bags.save(tmp_path), max_examples=100)
    assert vocabulary_of(source) == bags.VOCABULARY
    ((examples, letters),) = source.batches("train")
    assert len(examples) + len(letters) == source.splits["train"] == 100


def test_splits_are_named_by_what_stands_before_the_arrays_or_are_for_training(tmp_path):
    found = {name.removeprefix("train_"): a for name, a in ARRAYS.items() if "test" not in name}
    found["vocabulary"] = found.pop("vocab")
    np.savez(tmp_path / "one.npz", **found)  # type: ignore[arg-type]
    assert open_source(f"npz:{tmp_path / 'one.npz'}").splits == {"train": 240}
    found = {name.replace("test_", "validation_"): array for name, array in ARRAYS.items()}
    np.savez(tmp_path / "two.npz", **found)  # type: ignore[arg-type]
    assert open_source(f"npz:{tmp_path / 'two.npz'}").splits == {"train": 240, "validation": 60}


def test_other_arrays_as_long_as_the_documents_are_factors(tmp_path):
    years = {
        f"{split}_year": np.arange(n) % 2 + 1990 for split, n in (("train", 240), ("test", 60))
    }
    source = open_source(bags.save(tmp_path, **years, train_only=np.arange(240)))
    assert source.factors == {"label": list(bags.TOPICS), "year": ["1990", "1991"]}
    ((examples, _),) = source.batches("test")
    assert examples.factors["year"].tolist() == [int(place) % 2 for place in examples.ids]


def test_labels_without_names_are_named_after_themselves(tmp_path):
    assert open_source(bags.save(tmp_path, groups=None)).factors == {"label": ["0", "1", "2"]}


def test_a_word_that_a_document_has_twice_is_counted_together(tmp_path):
    small = {
        **{"train_data": np.array([1, 2, 4]), "train_indices": np.array([1, 1, 0])},
        **{"train_indptr": np.array([0, 2, 3]), "train_labels": np.array([0, 1])},
        **{f"test_{name}": None for name in ("data", "indices", "indptr", "labels")},
    }
    ((examples, _),) = open_source(bags.save(tmp_path, **small)).batches("train")
    assert examples.observations[:, :2].tolist() == [[0, 3], [4, 0]]


def test_floats_that_are_whole_are_counts(tmp_path):
    ((examples, _),) = open_source(bags.save(tmp_path, train_data=DATA.astype(np.float64))).batches(
        "train"
    )
    assert examples.observations.sum() == DATA.sum()


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"vocab": None}, ValueError, "has no vocabulary.*no such array.*Add it"),
        ({"vocab": np.arange(22)}, ValueError, "has no vocabulary.*int64"),
        (
            {"vocab": np.array(bags.VOCABULARY[:-3])},
            ValueError,
            "in 0 to 18, the vocabulary having 19 words.*Save the vocabulary that",
        ),
        (
            {"vocab": np.array([*bags.VOCABULARY[:-1], "people"])},
            ValueError,
            "'people', twice or more.*Merge or rename",
        ),
        ({"vocab": np.array([*bags.VOCABULARY[:-1], "a b"])}, ValueError, "'a b'.*rename"),
        ({"train_indices": changed(INDICES, 22)}, ValueError, "0 to 21.*Received: 22"),
        ({"train_indices": changed(INDICES, -1)}, ValueError, "0 to 21.*Received: -1"),
        ({"train_data": changed(DATA, -1)}, ValueError, "first -1.*Count words, without weights"),
        ({"train_data": changed(DATA, 0.5)}, ValueError, "first 0.5.*Count words"),
        ({"train_data": changed(DATA, np.nan)}, ValueError, "first nan.*Count words"),
        ({"train_data": changed(DATA, 2**25)}, ValueError, "0 to 16777216.*Count words"),
        ({"train_data": DATA.astype(str)}, TypeError, "have the wrong type.*Cast them"),
        ({"train_data": DATA[:-1]}, ValueError, "not sparse rows.*csr_array"),
        ({"train_indptr": ARRAYS["train_indptr"][::-1]}, ValueError, "not sparse rows"),
        ({"train_indptr": ARRAYS["train_indptr"] + 1}, ValueError, "not sparse rows"),
        ({"train_indptr": ARRAYS["train_indptr"] * 1.0}, ValueError, "not sparse rows.*float64"),
        ({"train_data": None}, ValueError, "incomplete.*no `train_data`.*Add it"),
        ({"train_labels": None}, ValueError, r"an array `train_labels` of shape \(240,\)"),
        ({"test_labels": np.arange(59)}, ValueError, r"`test_labels` of shape \(60,\)"),
        ({"groups": np.array(["one"])}, ValueError, "0 to 0.*Received: 0 to 2.*Name every class"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_name(tmp_path, changes, kind, message):
    with pytest.raises(kind, match=message):
        open_source(bags.save(tmp_path, **changes))
