"""Placement and precision of training: devices, replicas, XLA, mixed precision."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import keras

logger = logging.getLogger(__name__)

DTYPE_POLICIES = ("float32", "mixed_bfloat16")
DEVICE_FOLDER = Path("/dev")

INSTALLATION = {
    "tensorflow": "pip install 'latentloom[gpu]'",
    "jax": "pip install 'jax[cuda13]'",
}
"""Command that installs the GPU build of each backend."""


def accelerators() -> list[str]:
    """Names of the GPUs and TPUs that the backend sees, such as `"gpu:0"`."""
    return [name for name in keras.distribution.list_devices() if not name.startswith("cpu")]


def uses_xla() -> bool:
    """Whether XLA compiles training steps.

    Always on JAX. On TensorFlow only on one accelerator: on a CPU, XLA's convolutions are slower
    than those of the plain graph, and XLA cannot compile mirrored variables.
    """
    return keras.backend.backend() == "jax" or (bool(accelerators()) and num_replicas() == 1)


@contextmanager
def placement(devices: int = 1, dtype_policy: str = "float32") -> Iterator[None]:
    """Sets devices and precision of all that is built and trained inside the context.

    Args:
        devices: Number of devices that share each batch; 0 for all. They are accelerators if there
            are any, else (virtual) CPU devices.
        dtype_policy: `"float32"`, or `"mixed_bfloat16"`: layers compute in bfloat16, variables
            and losses stay float32.

    Raises:
        ValueError: There are fewer devices, or the policy is unknown.
    """
    if dtype_policy not in DTYPE_POLICIES:
        raise ValueError(
            f"The precision is unknown. Expected: one of {', '.join(DTYPE_POLICIES)}. "
            f"Received: train.dtype_policy={dtype_policy!r}. Set it to one of these."
        )
    chosen = _choose(devices)
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype_policy)
    try:
        with _data_parallel(chosen):
            yield
    finally:
        keras.config.set_dtype_policy(previous)


def _choose(devices: int) -> list[str]:
    available = keras.distribution.list_devices()
    if devices > len(available):
        raise ValueError(
            f"There are fewer devices than asked for. Expected: up to {len(available)} "
            f"({', '.join(available)}). Received: train.devices={devices}. "
            "Lower it, or set it to 0 for all."
        )
    return available[: devices or None]


def _data_parallel(devices: list[str]) -> AbstractContextManager:
    """Returns a context that divides each batch among the devices; each holds all variables."""
    if len(devices) == 1:
        return nullcontext()
    if keras.backend.backend() == "jax":
        return _jax_data_parallel(devices)
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices).scope()


@contextmanager
def _jax_data_parallel(devices: list[str]) -> Iterator[None]:
    previous = keras.distribution.distribution()
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
    )
    try:
        yield
    finally:
        keras.distribution.set_distribution(previous)


def num_replicas() -> int:
    """Number of devices that share each batch in the current placement."""
    if keras.backend.backend() == "jax":
        distribution = keras.distribution.distribution()
        return distribution.device_mesh.devices.size if distribution else 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def replica_share(loss):
    """Scales the mean loss of one replica to its share in the loss of the whole batch.

    Every model's `compute_loss` returns this. TensorFlow sums the gradients of the replicas; JAX
    differentiates the whole batch at once and needs no scaling.
    """
    return loss / num_replicas() if keras.backend.backend() == "tensorflow" else loss


def warn_of_idle_accelerators(devices: int = 1, device_folder: Path = DEVICE_FOLDER) -> None:
    """Warns, with the fix, if training will not use an accelerator of the machine.

    Args:
        devices: Number of devices that training was asked to use, 0 for all.
        device_folder: Folder of the driver's device files.
    """
    seen, backend = accelerators(), keras.backend.backend()
    if 0 < devices < len(seen):
        logger.warning(
            "%d of %d accelerators stay idle. Pass --set train.devices=0 to use all.",
            len(seen) - devices,
            len(seen),
        )
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") or (
        backend == "jax" and os.environ.get("JAX_PLATFORMS") == "cpu"
    )
    if not seen and not hidden and any(device_folder.glob("nvidia[0-9]*")):
        logger.warning(
            "This machine has an NVIDIA GPU, but %s sees none and trains on the CPU. "
            "Install its CUDA build: %s",
            backend,
            INSTALLATION[backend],
        )
