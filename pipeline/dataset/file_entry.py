"""The entry in a manifest of a file beside the shards."""

from __future__ import annotations

import hashlib
import os
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def check_plain_name(file: str) -> str:
    """Returns a file name that cannot lie outside its directory.

    Raises:
        ValueError: If it is not a plain file name.
    """
    if file != os.path.basename(file) or file in ("", ".", ".."):
        raise ValueError(f"a file of a data set must have a plain file name, got '{file}'")
    return file


PlainName = Annotated[str, AfterValidator(check_plain_name)]


class FileEntry(BaseModel):
    """Size in bytes and hexadecimal SHA-256 of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_bytes: int = Field(ge=0)
    sha256: Sha256

    @classmethod
    def of(cls, data: bytes) -> FileEntry:
        """Returns the entry of a file with these bytes."""
        return cls(num_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
