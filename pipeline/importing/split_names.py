"""One rule for the names of splits in every source: train, validation or test."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from latentloom.augment.spelling import nearest
from latentloom.pipeline.dataset.names import check_splits
from latentloom.pipeline.storage.texts import printable

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
NONE = "none"
"""What `--split NAME=none` leaves out."""
_WORDS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("validation", "val", "valid", "dev", "eval"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
_EXPECTED = "a word for validation (validation, val, valid, dev, eval), 'train' or 'test' in a name"
_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")  # where a word begins inside one, as in `trainA`
_SHARD = re.compile(r".*-([^-]+)\.tfrecords?-\d+-of-\d+")


@dataclass(frozen=True)
class SplitRule:
    """Tells splits by their names; `--split` settles what a name does not tell.

    Args:
        chosen: `train`, `validation`, `test` or `none` by pattern, such as `{"hold*": "test"}`.
        otherwise: What all names are that neither a pattern nor a word tells; empty to reject them.
    """

    chosen: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""

    @classmethod
    def parse(cls, option: str | None) -> SplitRule:
        """Reads `--split`: `NAME=SPLIT` with commas between, or one `SPLIT` for all other names.

        Raises:
            ValueError: If a part names no split.
        """
        chosen, otherwise = {}, ""
        for part in option.split(",") if option is not None else ():
            name, _, split = part.rpartition("=")
            if split not in (*SPLITS, NONE) or (not name and (otherwise or "=" in part)):
                raise ValueError(
                    "The option --split is malformed. Expected: NAME=SPLIT, with commas between, "
                    f"or SPLIT for all other names, each SPLIT one of {', '.join(SPLITS)} or "
                    f"{NONE}, which leaves it out. Received: --split {printable(option or '')}. "
                    f"{nearest(split, (*SPLITS, NONE))}"
                )
            if name:
                chosen[name] = split
            else:
                otherwise = split
        return cls(chosen, otherwise)

    def tell(self, name: str) -> str:
        """Returns the split of a name, by pattern or by word; empty if neither tells it."""
        return self.chosen_for(name) or _WORDS.get(_word(name), "")

    def chosen_for(self, name: str) -> str:
        """Returns the split of a name by pattern; empty if no pattern matches it."""
        patterns = (name, *self.chosen) if name in self.chosen else self.chosen
        return next((self.chosen[p] for p in patterns if p == name or fnmatchcase(name, p)), "")

    def assign(self, names: Sequence[str], where: str, *, files: bool = False) -> dict[str, str]:
        """Returns the split of each name, or `none`.

        Args:
            names: Names of splits, or of the files of splits.
            where: The source, for messages.
            files: Whether they are the names of files.

        Raises:
            ValueError: If a name tells no split, or two different words name one split.
        """
        told = {name: self.tell(name) or self.otherwise for name in names}
        if unknown := [name for name in names if not told[name]]:
            check_splits([] if files else unknown)
            raise ValueError(_untold(unknown, where))
        self._check_words(told, where)
        return told

    def check_patterns(self, names: Sequence[str], where: str) -> None:
        """Rejects a pattern that matches none of the names."""
        for pattern in self.chosen:
            if not any(name == pattern or fnmatchcase(name, pattern) for name in names):
                raise ValueError(
                    f"'{where}' has no split '{printable(pattern)}'. Expected: --split with some "
                    f"of {_some(names)}. Received: --split {printable(pattern)}="
                    f"{self.chosen[pattern]}. {nearest(pattern, names)}"
                )

    def _check_words(self, told: Mapping[str, str], where: str) -> None:
        """Rejects two words for one split, such as `dev` and `eval`, unless patterns told them."""
        first: dict[str, str] = {}
        for name, split in told.items():
            if self.chosen_for(name) or not (word := _word(name)):
                continue
            if _word(other := first.setdefault(split, name)) != word:
                raise ValueError(
                    f"Two splits of '{where}' may both be '{split}'. Expected: one. Received: "
                    f"'{printable(other)}' and '{printable(name)}'. Pass --split "
                    f"{printable(other)}=SPLIT,{printable(name)}=SPLIT, each one of "
                    f"{', '.join(SPLITS)} or {NONE}."
                )


def separate(name: str) -> str:
    """Returns a name with `_` where a capital letter begins a word: `trainA` is `train_A`."""
    return _CAPITALS.sub("_", name)


def is_split_word(value: str) -> bool:
    """Returns whether a value is the name of a split and nothing else, such as `Train`."""
    return value.strip().lower().rstrip("0123456789") in _WORDS


def _word(name: str) -> str:
    """Returns the word of a name that tells its split; empty if none does, or words disagree.

    Digits at the end of a word do not count: `val2017` is `val`. A capital letter begins a word:
    `trainA` is `train`.
    """
    shard, separated = _SHARD.fullmatch(name), separate(name)
    words = [word.rstrip("0123456789") for word in re.split(r"[\W_]+", separated.lower())]
    if shard and (known := shard[1].lower().rstrip("0123456789")) in _WORDS:
        words = [known]
    found = {word for word in words if word in _WORDS}
    return found.pop() if len(found) == 1 else ""


def _untold(names: Sequence[str], where: str) -> str:
    first = printable(names[0])
    return (
        f"'{where}' has splits that cannot be told from their names. Expected: {_EXPECTED}. "
        f"Received: {_some(names)}. Pass --split {first}=SPLIT with one of {', '.join(SPLITS)}, "
        f"or {NONE} to leave it out."
    )


def _some(names: Iterable[str]) -> str:
    names = list(names)
    told = ", ".join(f"'{printable(name)}'" for name in names[:3])
    return f"{told} and {len(names) - 3} more" if len(names) > 3 else told
