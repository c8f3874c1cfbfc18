"""A working folder as the examples of the documentation have it."""

import pytest
from bundles import digits_bundle, digits_data


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the data set `data` and the bundle `bundle`."""
    (tmp_path / "data").symlink_to(digits_data())
    (tmp_path / "bundle").symlink_to(digits_bundle())
    monkeypatch.chdir(tmp_path)
    return tmp_path
