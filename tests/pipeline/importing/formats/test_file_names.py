"""Names of many files are held packed, and come in the order of their paths."""

import os
import tracemalloc
from pathlib import Path

import numpy as np

from latentloom.pipeline.importing.formats.file_names import FileNames, path_below
from latentloom.pipeline.importing.formats.folder_tree import read_tree


def filled(folder: Path, paths: list[str]) -> FileNames:
    """Returns the paths as they are held."""
    names = FileNames(folder)
    for path in paths:
        names.append(path)
    names.pack()
    return names


def test_ten_thousand_paths_in_any_order_come_as_sorted_paths():
    paths = [f"{'deep/' * (number % 3)}{number}.png" for number in range(10_000)]
    shuffled = np.random.default_rng(0).permutation(paths).tolist()
    names = filled(Path("root"), shuffled)
    assert [Path(path) for path in names] == sorted(Path("root", path) for path in paths)
    assert len(names) == 10_000
    assert names.first == os.path.join("root", "0.png")


def test_a_folder_and_a_file_that_begin_alike_are_ordered_by_their_parts():
    paths = ["a/z.png", "a.png", "a b/1.png", "a/b/c.png", "a\x01.png"]
    names = filled(Path("."), paths)
    assert [Path(path) for path in names] == sorted(map(Path, paths))


def test_names_whose_bytes_are_no_text_stay_as_they_are():
    paths = [os.fsdecode(b"\xff.png"), "\u00e9.png", "\U0001f600.png", "z.png"]
    names = filled(Path("root"), paths)
    assert [path_below(Path("root"), path) for path in names] == sorted(paths)


def test_nothing_has_no_first_file():
    names = filled(Path("root"), [])
    assert list(names) == []
    assert names.first is None


def test_a_listed_file_takes_hardly_more_than_its_name(tmp_path):
    count = 20_000
    for number in range(count):
        (tmp_path / f"{number:012d}.png").touch()
    read_tree(tmp_path)  # imports Pillow
    tracemalloc.start()
    tree = read_tree(tmp_path)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(tree.images) == count
    assert held < 25 * count  # 17 bytes are the name; a list of paths took 300
    assert peak < 1_500_000  # the names of one part as Python objects
