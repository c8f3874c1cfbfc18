"""The donor bank: a bounded, deterministic sample of latents per factor value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from latentloom.augment.columns import as_integers, check_lengths
from latentloom.augment.latents import Latents
from latentloom.augment.randomness import identity_keys
from latentloom.augment.spelling import nearest

__all__ = ["DonorBank"]


@dataclass(frozen=True, eq=False)
class DonorBank:
    """A bottom-k sample: examples with the `capacity` smallest keys of some factor value.

    The choice of examples depends on the seed and their ids alone, so banks of parts merge to the
    bank of the whole, in any grouping and order. It has at most `capacity` rows per factor value,
    however many examples it has seen.

    Reference:
        Cohen and Kaplan, Summarizing Data Using Bottom-k Sketches, PODC 2007,
        https://doi.org/10.1145/1281100.1281133.

    Args:
        keys: uint64 of shape `(n,)`, ascending.
        ids: str of shape `(n,)`: identities, unique.
        factors: Value indices by factor, int64 of shape `(n,)`.
        latents: `(n, dim)` per block.
        capacity: Integer, rows per factor value. At least 1.
    """

    keys: np.ndarray
    ids: np.ndarray
    factors: dict[str, np.ndarray]
    latents: Latents
    capacity: int

    @classmethod
    def build(
        cls,
        ids: Sequence[str],
        factors: Mapping[str, np.ndarray],
        latents: Mapping[str, np.ndarray],
        *,
        seed: int,
        capacity: int,
    ) -> DonorBank:
        """Samples a bank from examples.

        Args:
            ids: Identities of the `n` examples; an id that repeats counts once.
            factors: Value indices by factor, each of shape `(n,)`.
            latents: `(n, dim)` per block.
            seed: Integer, the seed of the run; the same for all banks that will be merged.
            capacity: Integer, rows per factor value. At least 1.

        Returns:
            The bank.

        Raises:
            ValueError: If lengths differ or the capacity is below 1.
        """
        if capacity < 1:
            raise ValueError(
                "A donor bank needs room. Expected: capacity >= 1. Received: "
                f"capacity={capacity}. Raise `capacity`."
            )
        columns = {name: as_integers("Donor bank", name, v) for name, v in factors.items()}
        blocks = {name: np.asarray(values) for name, values in latents.items()}
        check_lengths("Donor bank", len(ids), columns | blocks)
        keys = identity_keys(seed, "donor", ids)
        return cls(keys, np.array(ids, np.str_), columns, blocks, capacity)._reduce()

    def merge(self, *others: DonorBank) -> DonorBank:
        """Returns the bank of all examples that the banks have seen.

        Associative, commutative and idempotent. `DonorBank.merge(*banks)` works as well.

        Args:
            *others: Banks with the same seed, factors, blocks and capacity.

        Returns:
            A new bank.

        Raises:
            ValueError: If factors, blocks or capacities differ.
        """
        banks = (self, *others)
        for other in others:
            self._check_same_form(other)
        return DonorBank(
            np.concatenate([bank.keys for bank in banks]),
            np.concatenate([bank.ids for bank in banks]),
            {f: np.concatenate([bank.factors[f] for bank in banks]) for f in self.factors},
            {b: np.concatenate([bank.latents[b] for bank in banks]) for b in self.latents},
            self.capacity,
        )._reduce()

    def without_latents(self) -> DonorBank:
        """Returns the bank without its codes, to tell which examples a merged bank would keep."""
        return replace(self, latents={})

    def pool(self, factor: str, value: int) -> np.ndarray:
        """Returns the rows that share a factor value: a fair sample of all such examples.

        Args:
            factor: Name of the factor.
            value: Integer, index of the value.

        Returns:
            Ascending int64 rows, at most `capacity`; empty if no example had the value.

        Raises:
            ValueError: If the bank has no such factor.
        """
        # Rows are in key order; rows past the capacity are in the bank for another factor.
        return np.flatnonzero(self._values(factor) == value)[: self.capacity]

    def pool_of_others(self, factor: str, value: int) -> np.ndarray:
        """Returns the rows with any other value of a factor: the pools of those values together.

        Args:
            factor: Name of the factor.
            value: Integer, index of the value to leave out.

        Returns:
            Ascending int64 rows, at most `capacity` of each value.

        Raises:
            ValueError: If the bank has no such factor.
        """
        values = self._values(factor)
        return np.flatnonzero((values != value) & (_ranks(values) < self.capacity))

    def rows_of(self, ids: Sequence[str]) -> np.ndarray:
        """Finds examples by id.

        Args:
            ids: The `m` identities.

        Returns:
            int64 of shape `(m,)`: their rows, -1 for those not in the bank.
        """
        wanted = np.array(ids, np.str_)
        if not len(self):
            return np.full(len(wanted), -1, np.int64)
        order = np.argsort(self.ids)
        positions = np.searchsorted(self.ids, wanted, sorter=order)
        rows = order[np.minimum(positions, len(order) - 1)]
        return np.where(self.ids[rows] == wanted, rows, -1)

    def __len__(self) -> int:
        return len(self.keys)

    def _values(self, factor: str) -> np.ndarray:
        if factor not in self.factors:
            raise ValueError(
                f"The donor bank has no factor '{factor}'. Expected: one of "
                f"{sorted(self.factors)}. Received: factor={factor!r}. "
                f"{nearest(factor, self.factors)}"
            )
        return self.factors[factor]

    def _reduce(self) -> DonorBank:
        """Sorts by key and id, drops repeated ids and rows that no factor value needs."""
        bank = self._take(np.lexsort((self.ids, self.keys)))
        bank = bank._take(np.append(True, bank.ids[1:] != bank.ids[:-1])[: len(bank)])
        needed = np.zeros(len(bank), bool)
        for values in bank.factors.values():
            needed |= _ranks(values) < self.capacity
        return bank._take(needed)

    def _take(self, rows: np.ndarray) -> DonorBank:
        return DonorBank(
            self.keys[rows],
            self.ids[rows],
            {name: values[rows] for name, values in self.factors.items()},
            {name: block[rows] for name, block in self.latents.items()},
            self.capacity,
        )

    def _check_same_form(self, other: DonorBank) -> None:
        mine, theirs = (
            (sorted(bank.factors), sorted(bank.latents), bank.capacity) for bank in (self, other)
        )
        if mine != theirs:
            raise ValueError(
                f"Cannot merge donor banks of different forms. Expected: factors, blocks and "
                f"capacity {mine}. Received: {theirs}. Build both with the same arguments."
            )


def _ranks(values: np.ndarray) -> np.ndarray:
    """Returns each row's position among the rows of the same value."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    ranks = np.empty(len(values), np.int64)
    ranks[order] = np.arange(len(values)) - np.searchsorted(ordered, ordered)
    return ranks
