"""The entries of a manifest: shards, and the files beside them."""

from __future__ import annotations

import hashlib
import os
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from latentloom.pipeline.dataset.class_counts import CountsByClass
from latentloom.pipeline.storage.tfrecords import FRAME

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


class ShardEntry(BaseModel):
    """One written shard: file name, counts and hash; `label_counts` by class code.

    The counts are no larger than a file of `num_bytes` can hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: PlainName
    records: int = Field(ge=0)
    num_bytes: int = Field(ge=0)
    sha256: Sha256
    label_counts: CountsByClass

    @model_validator(mode="after")
    def _counts_fit_the_bytes(self) -> ShardEntry:
        if self.records * FRAME > self.num_bytes:
            raise ValueError(f"{self.num_bytes} bytes cannot hold {self.records} records")
        if sum(self.label_counts) > self.records:
            raise ValueError(f"the labels of {self.records} records count {self.label_counts}")
        return self


class FileEntry(BaseModel):
    """A file beside the shards: size in bytes and hexadecimal SHA-256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_bytes: int = Field(ge=0)
    sha256: Sha256

    @classmethod
    def of(cls, data: bytes) -> FileEntry:
        """Returns the entry of a file with these bytes."""
        return cls(num_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
