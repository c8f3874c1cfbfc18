"""A table beside a file of splits, such as that of CelebA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from latentloom.pipeline.importing.formats.table_files import PARTITION
from latentloom.pipeline.importing.formats.table_protocol import Rows, Table


class PartitionedTable:
    """A table beside a file that has the split of each of its images, in the same order.

    Args:
        table: The table.
        partition: The file of splits; its first column has the images, its second the splits.
        image: Column of `table` with the paths of the images.
    """

    def __init__(self, table: Table, partition: Table, image: str):
        self.path, self.class_names, self.num_parts = table.path, table.class_names, 1
        self.columns = [*(name for name in table.columns if name != PARTITION), PARTITION]
        self.texts = [*(name for name in table.texts if name != PARTITION), PARTITION]
        self._table, self._partition, self._image = table, partition, image
        if len(partition.columns) != 2 or table.num_parts > 1 or partition.num_parts > 1:
            raise ValueError(
                f"'{partition.path}' is no file of splits. Expected: two columns, image and "
                f"split. Received: {partition.columns}. Name a column of the table with --split."
            )

    def rows(self, part: int, columns: Sequence[str]) -> Rows:
        """Yields the rows of both files side by side."""
        wanted = [name for name in dict.fromkeys([*columns, self._image]) if name != PARTITION]
        splits = self._pairs()
        for batch in self._table.rows(part, wanted):
            beside = [next(splits, ("nothing", "")) for _ in batch[self._image]]
            for image, (other, _) in zip(batch[self._image], beside, strict=True):
                if image != other:
                    raise ValueError(self._apart(image, other))
            yield {name: batch[name] for name in wanted} | {PARTITION: [s for _, s in beside]}
        if (left := next(splits, None)) is not None:
            raise ValueError(self._apart("nothing", left[0]))

    def _pairs(self) -> Iterator[tuple[str, str]]:
        image, split = self._partition.columns
        for batch in self._partition.rows(0, [image, split]):
            yield from zip(batch[image], batch[split], strict=True)

    def _apart(self, image: str, other: str) -> str:
        return (
            f"'{self._partition.path}' does not fit '{self.path}'. Expected: the same images in "
            f"the same order. Received: {other} beside {image}. Sort both by image."
        )
