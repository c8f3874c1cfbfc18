

def test_a_directory_that_a_run_was_killed_in_while_claiming_it_is_free(tmp_path):
    (tmp_path / ".claim-abc").touch()
    claim_directory(tmp_path)
    assert not list(tmp_path.iterdir())
