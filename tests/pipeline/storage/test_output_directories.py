import pytest

from latentloom.pipeline.storage.output_directories import check_apart, claim_directory


def test_a_directory_that_a_run_was_killed_in_while_claiming_it_is_free(tmp_path):
    (tmp_path / ".claim-abc").touch()
    claim_directory(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_directory_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="pass --overwrite"):
        claim_directory(tmp_path)
    with pytest.raises(FileExistsError, match="latentloom did not write"):
        claim_directory(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.tex").exists()


def test_an_output_beside_or_inside_an_input_is_apart_from_it(tmp_path):
    data = tmp_path / "data"
    check_apart(tmp_path / "data2", {"--data": data})
    check_apart(data / "variants", {"--data": data})


def test_an_output_is_not_apart_from_an_input_in_it_by_any_name(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    for out in (tmp_path, tmp_path / "link", tmp_path / "other" / ".." / "data"):
        with pytest.raises(ValueError, match="--data .*data. Choose another output directory"):
            check_apart(out, {"--data": tmp_path / "data"})
