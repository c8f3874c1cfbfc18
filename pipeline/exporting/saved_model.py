"""A bundle as a TensorFlow SavedModel, which needs TensorFlow alone."""

from __future__ import annotations

import os
from typing import Any

import keras

from latentloom.model_zoo.bundle import Bundle
from latentloom.pipeline.codec.judges import Judges
from latentloom.pipeline.codec.model_functions import ModelFunctions
from latentloom.pipeline.dataset.entries import FileEntry
from latentloom.pipeline.exporting.rows import as_json
from latentloom.pipeline.exporting.sinks import Files
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import sha256_file, walk

SIGNATURES = "signatures.json"
OBSERVATIONS = "observations"
"""Name of what `encode` and `judge` take and `decode` gives: observations as stored."""


def write_saved_model(bundle: Bundle, folder: str) -> Files:
    """Writes the signatures `encode`, `decode` and `judge`, for batches of any size.

    `encode`: `observations` as stored to each block of the code, float32. `decode`: the blocks to
    `observations`. `judge`: `observations` to the probabilities of the values of each factor that
    the judge reads. `SIGNATURES` has their shapes and types and the names of the values.

    Args:
        bundle: The bundle.
        folder: Where to write.

    Returns:
        The files.

    Raises:
        ValueError: If Keras does not run on TensorFlow.
    """
    import tensorflow as tf

    functions, module = concrete_functions(bundle), tf.Module()
    variables = [v.value for net in (bundle.model, bundle.judge) for v in net.variables]
    for name, tracked in {**functions, "variables_of_networks": variables}.items():
        setattr(module, name, tracked)
    tf.saved_model.save(module, folder, signatures=functions)
    write_atomic(os.path.join(folder, SIGNATURES), signatures(bundle))
    paths = {name: os.path.join(folder, name) for name in walk(folder)}
    return {
        name: FileEntry(num_bytes=os.path.getsize(path), sha256=sha256_file(path))
        for name, path in paths.items()
    }


def check_tensorflow() -> None:
    """Rejects every backend but TensorFlow, whose graphs are exported."""
    if (backend := keras.backend.backend()) != "tensorflow":
        raise ValueError(
            "A SavedModel is a graph of TensorFlow. Expected: KERAS_BACKEND=tensorflow, whichever "
            f"backend trained the bundle. Received: {backend}. Set the variable before the first "
            "import of keras."
        )


def signatures(bundle: Bundle) -> bytes:
    """Returns `SIGNATURES`: shapes and types of what functions take and give, and names."""
    described = {
        OBSERVATIONS: {"shape": ["n", *bundle.observation_shape], "dtype": bundle.scaling.dtype},
        "blocks": {
            name: {"shape": ["n", block["dim"]], "dtype": "float32", "factors": block["factors"]}
            for name, block in bundle.model.latent_spec.items()
        },
        "judge": {name: list(bundle.factors[name]) for name in bundle.judge_factors},
    }
    return f"{as_json(described)}\n".encode()


def concrete_functions(bundle: Bundle) -> dict[str, Any]:
    """Returns the concrete functions of `encode`, `decode` and `judge`, as TensorFlow has them.

    Raises:
        ValueError: If Keras does not run on TensorFlow.
    """
    check_tensorflow()
    import tensorflow as tf

    judges = Judges(bundle)
    functions, spec = ModelFunctions(bundle, judges), bundle.model.latent_spec
    observed = tf.TensorSpec((None, *bundle.observation_shape), bundle.scaling.dtype, OBSERVATIONS)
    codes = {
        name: tf.TensorSpec((None, block["dim"]), tf.float32, name) for name, block in spec.items()
    }

    def encode(observations):
        return functions.encode(tuple(spec), {"images": observations})

    def decode(**latents):
        return {OBSERVATIONS: functions.decode(latents)["image"]}

    def judge(observations):
        return judges.read("judge", {"images": observations})

    return {
        "encode": _concrete(encode, observed),
        "decode": _concrete(decode, **codes),
        "judge": _concrete(judge, observed),
    }


def _concrete(function: Any, *specs: Any, **named: Any) -> Any:
    import tensorflow as tf

    return tf.function(function, autograph=False).get_concrete_function(*specs, **named)
