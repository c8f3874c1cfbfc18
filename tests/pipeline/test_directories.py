import pytest

from pipeline.directories import claim_directory


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
