"""Who may write to a directory, what may go from it, and what stays whatever happens."""

import contextlib
import json

import pytest

from latentloom.pipeline.storage.locks import LOCK_FILE, locked
from latentloom.pipeline.storage.output_directories import (
    STAGING,
    check_apart,
    held_directory,
    replaced_when_complete,
)
from latentloom.pipeline.storage.ownership import OutputKind, read_object


def listed(path):
    return read_object(f"{path}/index.json").get("files")


PAGES = OutputKind("book", listed, ("index.json", "page-*.txt", "notes/*.txt"))
KEYS = {"files": ["index.json", "page-1.txt", "notes/a.txt"]}


@pytest.fixture
def book(tmp_path):
    """An output of an earlier run."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "index.json").write_text(json.dumps(KEYS))
    (tmp_path / "page-1.txt").write_text("one")
    (tmp_path / "notes" / "a.txt").write_text("a note")
    return tmp_path


def files(path):
    return {str(p.relative_to(path)): p.read_text() for p in path.rglob("*") if p.is_file()}


def killed(path, kind="book"):
    """Leaves the lock that a killed run leaves."""
    (path / LOCK_FILE).write_text(json.dumps({"latentloom writes": kind}))


def test_a_new_directory_is_made_and_locked_and_kept(tmp_path):
    out = tmp_path / "a" / "out"
    with held_directory(out, PAGES):
        (out / "index.json").write_text("{}")
        with pytest.raises(FileExistsError, match="Another run"), held_directory(out, PAGES):
            pass
    assert files(out) == {"index.json": "{}"}


def test_a_new_directory_in_which_nothing_was_written_goes_again(tmp_path):
    with pytest.raises(KeyError), held_directory(tmp_path / "out", PAGES):
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_an_earlier_output_stays_unless_it_may_be_overwritten(book):
    before = files(book)
    with pytest.raises(FileExistsError, match="pass --overwrite"), held_directory(book, PAGES):
        pass
    assert files(book) == before
    with held_directory(book, PAGES, overwrite=True):
        assert [path.name for path in book.iterdir()] == [LOCK_FILE]


@pytest.mark.parametrize("stranger", ["thesis.tex", "notes/thesis.tex", "page-2.txt", "src/app.py"])
@pytest.mark.parametrize("write", [held_directory, replaced_when_complete])
def test_the_first_stranger_is_named_and_nothing_is_touched(book, stranger, write):
    (book / stranger).parent.mkdir(exist_ok=True)
    (book / stranger).write_text("years of work")
    before = files(book)
    options = {"last": "index.json"} if write is replaced_when_complete else {}
    with (
        pytest.raises(FileExistsError, match=rf"{stranger}' is no file of the book.*stays"),
        write(str(book), PAGES, overwrite=True, **options),
    ):
        pass
    assert files(book) == before


def test_a_link_to_a_folder_is_a_stranger(book, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "page-1.txt").write_text("of another book")
    (book / "more").symlink_to(elsewhere)
    with (
        pytest.raises(FileExistsError, match="more' is no file of the book"),
        held_directory(book, PAGES, overwrite=True),
    ):
        pass
    assert (elsewhere / "page-1.txt").exists()


@pytest.mark.parametrize("content", ["", "{}", "not JSON", "[" * 10_000, '["files"]'])
def test_a_file_of_our_name_with_other_contents_makes_a_directory_not_ours(book, content):
    (book / "index.json").write_text(content)
    before = files(book)
    with (
        pytest.raises(FileExistsError, match="did not write as a book"),
        held_directory(book, PAGES, overwrite=True),
    ):
        pass
    assert files(book) == before


def test_what_a_killed_run_left_makes_room_for_the_same_command(tmp_path):
    killed(tmp_path)
    (tmp_path / "page-9.txt").write_text("half a book")
    (tmp_path / f".page-8.txt.{'0' * 8}.tmp").write_text("half a page")
    with held_directory(tmp_path, PAGES):
        assert set(files(tmp_path)) == {LOCK_FILE}
    assert not files(tmp_path)


def test_a_stranger_among_what_a_killed_run_left_stays_with_all_of_it(tmp_path):
    killed(tmp_path)
    (tmp_path / "page-9.txt").write_text("half a book")
    (tmp_path / "thesis.tex").write_text("years of work")
    before = files(tmp_path)
    for overwrite in (False, True):
        with (
            pytest.raises(FileExistsError, match=r"thesis\.tex"),
            held_directory(tmp_path, PAGES, overwrite=overwrite),
        ):
            pass
        assert set(files(tmp_path)) == set(before)


def test_what_a_killed_run_of_another_verb_left_is_not_ours(tmp_path):
    killed(tmp_path, "bundle")
    (tmp_path / "page-9.txt").write_text("of a bundle")
    for overwrite in (False, True):
        with pytest.raises(FileExistsError), held_directory(tmp_path, PAGES, overwrite=overwrite):
            pass
    assert (tmp_path / "page-9.txt").exists()


def test_a_lock_file_of_a_user_is_not_ours(tmp_path):
    (tmp_path / LOCK_FILE).write_text("pid 7")
    with pytest.raises(FileExistsError, match="not a lock of latentloom"):
        with held_directory(tmp_path, PAGES, overwrite=True):
            pass
    assert files(tmp_path) == {LOCK_FILE: "pid 7"}


def test_a_finished_output_is_not_taken_for_one_of_a_killed_run(book):
    killed(book)
    before = files(book)
    with pytest.raises(FileExistsError, match="pass --overwrite"), held_directory(book, PAGES):
        pass
    assert set(files(book)) == set(before)


def test_a_run_that_may_go_on_keeps_what_is_there(book):
    (book / f".page-8.txt.{'0' * 8}.tmp").write_text("half a page")
    with held_directory(book, PAGES, resumable=lambda: True):
        assert set(files(book)) == {*KEYS["files"], LOCK_FILE}


def replace(out, **options):
    return replaced_when_complete(str(out), PAGES, last="index.json", **options)


def write_another(folder):
    with open(f"{folder}/page-2.txt", "w") as page, open(f"{folder}/index.json", "w") as index:
        page.write("two")
        json.dump({"files": ["index.json", "page-2.txt"]}, index)


def test_a_new_output_replaces_the_earlier_one_when_it_is_complete(book):
    before = files(book)
    with replace(book, overwrite=True) as folder:
        write_another(folder)
        assert files(book).items() >= before.items()
    assert set(files(book)) == {"index.json", "page-2.txt"}
    assert not (book / "notes").exists()


def test_after_an_error_the_earlier_output_is_there_and_nothing_else(book):
    before = files(book)
    with contextlib.suppress(KeyError), replace(book, overwrite=True) as folder:
        write_another(folder)
        raise KeyError
    assert files(book) == before


def test_a_file_that_appears_meanwhile_stays_and_stops_the_replacement(book):
    before = files(book)

    def replace_while_somebody_writes():
        with replace(book, overwrite=True) as folder:
            write_another(folder)
            (book / "thesis.tex").write_text("years of work")

    with pytest.raises(FileExistsError, match=r"thesis.tex' appeared during the run"):
        replace_while_somebody_writes()
    assert files(book) == before | {"thesis.tex": "years of work"}


def test_what_a_killed_run_staged_is_removed_by_the_next(tmp_path):
    killed(tmp_path)
    (tmp_path / STAGING).mkdir()
    (tmp_path / STAGING / "page-7.txt").write_text("half a book")
    with replace(tmp_path) as folder:
        write_another(folder)
    assert set(files(tmp_path)) == {"index.json", "page-2.txt"}
    assert not (tmp_path / STAGING).exists()


def test_a_folder_of_a_user_with_the_name_of_the_staging_folder_stays(tmp_path):
    (tmp_path / STAGING).mkdir()
    (tmp_path / STAGING / "thesis.tex").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(FileExistsError), replace(tmp_path, overwrite=overwrite):
            pass
    assert files(tmp_path) == {f"{STAGING}/thesis.tex": "years of work"}


def test_a_stale_lock_stays_if_the_next_run_fails(tmp_path):
    killed(tmp_path)
    (tmp_path / "page-7.txt").write_text("half a book")
    with contextlib.suppress(KeyError), held_directory(tmp_path, PAGES):
        (tmp_path / "page-8.txt").write_text("another half")
        raise KeyError
    with locked(str(tmp_path), "book") as left_by:
        assert left_by == "book"


def test_an_output_beside_an_input_is_apart_from_it_and_one_inside_is_not(tmp_path):
    data = tmp_path / "data"
    check_apart(tmp_path / "data2", {"--data": data})
    with pytest.raises(ValueError, match="lies in the input"):
        check_apart(data / "variants", {"--data": data})


def test_an_output_is_not_apart_from_an_input_in_it_by_any_name(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    for out in (tmp_path, tmp_path / "link", tmp_path / "other" / ".." / "data"):
        with pytest.raises(ValueError, match="--data .*data. Choose another output directory"):
            check_apart(out, {"--data": tmp_path / "data"})
