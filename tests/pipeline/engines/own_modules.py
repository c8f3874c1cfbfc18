"""A working folder in which a user has modules with the names of our packages."""

from __future__ import annotations

from pathlib import Path

OWN_MODULES = ("pipeline.py", "augment.py", "model_zoo/__init__.py")


def folder_with_own_modules(folder: Path) -> Path:
    """Makes the folder; its modules raise when they are imported."""
    for module in OWN_MODULES:
        (folder / module).parent.mkdir(parents=True, exist_ok=True)
        (folder / module).write_text(f"raise ImportError('{module} of the user was imported')\n")
    return folder
