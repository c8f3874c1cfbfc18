"""A bundle as ONNX models, for any runtime of ONNX. Needs the extra `onnx`."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from latentloom.model_zoo.bundle import Bundle
from latentloom.pipeline.config.explanation import one_line
from latentloom.pipeline.dataset.entries import FileEntry
from latentloom.pipeline.exporting.saved_model import SIGNATURES, concrete_functions, signatures
from latentloom.pipeline.exporting.sinks import Files
from latentloom.pipeline.storage.atomic_files import AtomicFile

OPSET = 18
"""Version of the operators; runtimes since 2023 know it."""


def write_onnx(bundle: Bundle, folder: str) -> Files:
    """Writes `encode.onnx`, `decode.onnx` and `judge.onnx`, for batches of any size.

    Inputs and outputs are those of `write_saved_model`.

    Args:
        bundle: The bundle.
        folder: Where to write.

    Returns:
        The files.

    Raises:
        ValueError: If Keras does not run on TensorFlow, or the converter is not installed or lacks
            an operator of the model.
    """
    check_converter()
    functions, model = concrete_functions(bundle), bundle.model_name
    contents = {f"{name}.onnx": _convert(each, model) for name, each in functions.items()}
    contents[SIGNATURES] = signatures(bundle)
    files = Files()
    for name, data in contents.items():
        with AtomicFile(os.path.join(folder, name)) as file:
            file.write(data)
        files[name] = FileEntry.of(data)
    return files


def check_converter() -> None:
    """Rejects an export without the extra that it needs."""
    if importlib.util.find_spec("tf2onnx") is None:
        raise ValueError(
            "The converter to ONNX is not installed. Expected: the extra `onnx`. Received: --to "
            "onnx without the package tf2onnx. Run `pip install 'latentloom[onnx]'`."
        )


def _convert(function: Any, model_name: str) -> bytes:
    """Returns a concrete function as a serialised ONNX model."""
    import onnx  # pyright: ignore[reportMissingImports]
    import tensorflow as tf
    import tf2onnx  # pyright: ignore[reportMissingImports]

    arguments, named = function.structured_input_signature
    names, specs = list(named), [*arguments, *named.values()]

    def positional(*tensors):
        keywords = dict(zip(names, tensors[len(arguments) :], strict=True))
        return function(*tensors[: len(arguments)], **keywords)

    wrapped = tf.function(positional, autograph=False)
    model, _ = tf2onnx.convert.from_function(wrapped, input_signature=specs, opset=OPSET)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ValueError(
            f"The model '{model_name}' cannot be converted to ONNX. Expected: operators that the "
            f"converter knows. Received: {one_line(error)}. Export with --to "
            "saved_model."
        ) from error
    return model.SerializeToString(deterministic=True)
