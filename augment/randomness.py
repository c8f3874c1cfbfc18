"""Random numbers keyed by identity: Philox4x32-10 over whole arrays of keys.

The numbers of a stateful generator depend on the draws before them. Here a number is a pure
function of a 64-bit key, a kind of draw, a stream and a position, so an example gets the same
numbers in any order, in any batch, on any worker and after any retry.

Reference:
    Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011,
    https://doi.org/10.1145/2063384.2063405. Implements Philox4x32 with 10 rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

__all__ = ["derive", "identity_keys", "integers", "normals", "philox4x32", "uniforms"]

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_MASK, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_NUM_ROUNDS = 10

# The last word of the counter: draws of different kinds never share a block of numbers.
_UNIFORM, _NORMAL, _INTEGER, _DERIVE = range(4)


def philox4x32(counters: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Encrypts counters under keys, elementwise with broadcasting.

    Args:
        counters: uint32 of shape `(..., 4)`.
        keys: uint32 of shape `(..., 2)`; the leading axes broadcast against the counters'.

    Returns:
        uint32 of shape `(..., 4)`: four random words per counter and key.
    """
    c0, c1, c2, c3 = np.moveaxis(np.asarray(counters).astype(np.uint64), -1, 0)
    k0, k1 = np.moveaxis(np.asarray(keys).astype(np.uint64), -1, 0)
    for _ in range(_NUM_ROUNDS):
        even, odd = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1 = (odd >> _HALF) ^ c1 ^ k0, odd & _MASK
        c2, c3 = (even >> _HALF) ^ c3 ^ k1, even & _MASK
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def identity_keys(seed: int, use: str, ids: Sequence[str]) -> np.ndarray:
    """Hashes identities to keys: 8 bytes of BLAKE2b over seed, use and id.

    Args:
        seed: Integer, the seed of the run.
        use: What the numbers are for; different uses give unrelated keys.
        ids: The `n` identities, for example `digits/train/00000007`.

    Returns:
        uint64 of shape `(n,)`.
    """
    salt = f"{int(seed)}\0{use}\0".encode()
    digests = [blake2b(salt + identity.encode(), digest_size=8).digest() for identity in ids]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def derive(keys: np.ndarray, counter: int | np.ndarray) -> np.ndarray:
    """Makes new keys from keys and a counter, by Philox.

    Args:
        keys: uint64 of shape `(n,)`.
        counter: Integer, or integers of shape `(n,)`: one child per key. At least 0.

    Returns:
        uint64 of shape `(n,)`, unrelated to the parents and to other children.
    """
    low, high = np.moveaxis(_split(np.broadcast_to(counter, np.shape(keys))), -1, 0)
    counters = np.stack([low, high, np.zeros_like(low), np.full_like(low, _DERIVE)], axis=-1)
    return _join(philox4x32(counters, _split(keys))[..., :2])


def uniforms(keys: np.ndarray, count: int, stream: int = 0) -> np.ndarray:
    """Draws uniform numbers in `[0, 1)`, with 53 random bits each.

    Args:
        keys: uint64 of shape `(n,)`.
        count: Integer, how many numbers per key. Fewer are a prefix of more.
        stream: Integer in `[0, 2**32)`; streams of one key are independent.

    Returns:
        float64 of shape `(n, count)`.
    """
    return _unit_interval(_draw(keys, count, stream, _UNIFORM))


def normals(keys: np.ndarray, count: int, stream: int = 0) -> np.ndarray:
    """Draws standard normal numbers by the Box-Muller transform.

    The numbers are the same on every machine up to the last bits of the processor's `log` and
    `cos`.

    Args:
        keys: uint64 of shape `(n,)`.
        count: Integer, how many numbers per key. Fewer are a prefix of more.
        stream: Integer in `[0, 2**32)`; streams of one key are independent.

    Returns:
        float64 of shape `(n, count)`.
    """
    num_pairs = -(-count // 2)
    pairs = _unit_interval(_draw(keys, 2 * num_pairs, stream, _NORMAL)).reshape(
        len(keys), num_pairs, 2
    )
    # Contiguous inputs: on strided ones NumPy may take another code path, off by one bit.
    first, angle = np.ascontiguousarray(np.moveaxis(pairs, -1, 0))
    angle = 2 * np.pi * angle
    radius = np.sqrt(-2 * np.log1p(-first))  # first < 1, so the logarithm is finite
    both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return both.reshape(len(keys), 2 * num_pairs)[:, :count]


def integers(keys: np.ndarray, high: int | np.ndarray, stream: int = 0) -> np.ndarray:
    """Draws one integer in `[0, high)` per key, by a 64-bit multiply and shift.

    No value is likelier than another by more than `high / 2**64`.

    Args:
        keys: uint64 of shape `(n,)`.
        high: Integer or integers of shape `(n,)`, in `[1, 2**32]`.
        stream: Integer in `[0, 2**32)`; streams of one key are independent.

    Returns:
        int64 of shape `(n,)`.

    Raises:
        ValueError: If a `high` is out of range.
    """
    bounds = np.broadcast_to(high, np.shape(keys))
    if bounds.size and not (1 <= bounds.min() and bounds.max() <= 2**32):
        raise ValueError(
            f"Cannot draw integers below `high`. Expected: 1 <= high <= 2**32. Received: high "
            f"between {bounds.min()} and {bounds.max()}. Pass the number of choices."
        )
    words, bounds = _draw(keys, 1, stream, _INTEGER)[:, 0], bounds.astype(np.uint64)
    # The upper half of a 128-bit product; neither sum overflows because high <= 2**32.
    carry = ((words & _MASK) * bounds) >> _HALF
    return (((words >> _HALF) * bounds + carry) >> _HALF).astype(np.int64)


def _draw(keys: np.ndarray, count: int, stream: int, kind: int) -> np.ndarray:
    """Returns random 64-bit words, uint64 of shape `(n, count)`."""
    counters = np.zeros((-(-count // 2), 4), np.uint32)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 1], counters[:, 3] = stream, kind
    words = philox4x32(counters, _split(keys)[:, None])  # (n, blocks, 4)
    return _join(words.reshape(len(keys), 2 * len(counters), 2))[:, :count]


def _unit_interval(words: np.ndarray) -> np.ndarray:
    return (words >> np.uint64(11)) * 2.0**-53


def _split(words: np.ndarray) -> np.ndarray:
    words = np.asarray(words).astype(np.uint64)
    return np.stack([words & _MASK, words >> _HALF], axis=-1).astype(np.uint32)


def _join(halves: np.ndarray) -> np.ndarray:
    halves = halves.astype(np.uint64)
    return halves[..., 0] | (halves[..., 1] << _HALF)
