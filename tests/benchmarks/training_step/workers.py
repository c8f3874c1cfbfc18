"""The processes that `train_step.py` asks in turn: one framework each, JSON lines in and out."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from training_step.floor import best_rate, describe_layers
from training_step.reference import batches_of, load_step, save_step

CHECKED_EXAMPLES = 16
FEWEST_EXAMPLES = 256
"""Enough that every value of a factor has some."""
OTHER_FACTORS = {"size": 3, "ink": 4, "background": 4}
MATRIX_SIDE = {"cpu": 1536, "gpu": 8192}
COPIED_ELEMENTS = {"cpu": 2**25, "gpu": 2**28}


def environment(framework: str, threads: int) -> dict[str, str]:
    """Variables that must be set before the framework is imported."""
    variables = {
        "OMP_NUM_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_NUM_INTEROP_THREADS": "1",  # as in production
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # the processes share the GPU
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    return variables if framework == "torch" else {**variables, "KERAS_BACKEND": framework}


def serve(framework: str, threads: int) -> None:
    """Answers requests from standard input until it closes; all other output goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if hasattr(os, "sched_setaffinity"):  # JAX has no setting of its own for its threads
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[:threads])
    try:
        importlib.import_module(framework)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), file=answers)
        return
    worker = TorchWorker(threads) if framework == "torch" else KerasWorker()
    print(json.dumps(worker.about()), file=answers)
    rested = time.process_time()
    for line in sys.stdin:
        idle = time.process_time() - rested
        request = json.loads(line)
        answer = getattr(worker, request.pop("do"))(**request)
        print(json.dumps({**answer, "idle_cpu_seconds": idle}), file=answers)
        rested = time.process_time()


def sizes_of_factors(classes: int) -> dict[str, int]:
    """Number of values of every factor that the examples have."""
    return {"label": classes, **OTHER_FACTORS}


def make_examples(
    image: list[int], classes: int, examples: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Random smooth images and factors that vary apart, the same in every process."""
    rng = np.random.default_rng(0)
    height, width, channels = image
    coarse = rng.integers(0, 256, (examples, -(-height // 4), -(-width // 4), channels), np.uint8)
    images = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, :height, :width]
    images[images < 128] = 0
    others = {name: rng.integers(size, size=examples) for name, size in OTHER_FACTORS.items()}
    return np.ascontiguousarray(images), {"label": np.arange(examples) % classes, **others}


def timed(loop, steps: int) -> dict[str, float]:
    """Wall and processor seconds of some steps."""
    begin = time.process_time()
    seconds = loop.seconds(steps)
    return {"seconds": seconds, "cpu_seconds": time.process_time() - begin}


class KerasWorker:
    """Zoo models on one Keras backend."""

    def about(self) -> dict[str, Any]:
        """Device and versions."""
        import keras

        from latentloom.model_zoo.backend.devices import accelerators

        backend, devices = keras.backend.backend(), accelerators()
        versions = {
            name: importlib.import_module(name).__version__ for name in ("keras", backend, "numpy")
        }
        name = None
        if devices and backend == "jax":
            name = importlib.import_module("jax").devices()[0].device_kind
        return {"device": "gpu" if devices else "cpu", "name": name, "versions": versions}

    def models(self) -> dict[str, list[str]]:
        """Names of everything that the zoo trains."""
        from training_step.keras_models import CLASSIFIER, MODELS

        return {"models": [*MODELS, CLASSIFIER]}

    def build(self, *, model: str, args, image, classes: int, batch_size: int, precision, steps):
        """Makes the loop that is timed from now on."""
        from training_step.keras_step import KerasLoop

        count = max(steps * batch_size, FEWEST_EXAMPLES)
        examples = make_examples(image, classes, count)
        sizes = {"steps": steps, "batch_size": batch_size, "precision": precision}
        sizes |= {"factor_sizes": sizes_of_factors(classes)}
        self.loop = KerasLoop(model, args, examples, **sizes)
        networks = self.loop.networks()
        layers = {name: describe_layers(network) for name, network in networks.items()}
        return {"config": {**self.loop.config(), "model": model}, "layers": layers}

    def batches(self, path: str) -> dict:
        """Writes the batches of the loop."""
        images, answers = self.loop.stacked()
        save_step(path, {"images": images, "answers": answers})
        return {}

    def run(self, steps: int) -> dict[str, float]:
        """Seconds of some steps."""
        return timed(self.loop, steps)

    def fit(self) -> dict[str, float]:
        """Seconds of an epoch of `fit`."""
        return {"seconds": self.loop.fit_seconds()}

    def reference(self, *, model: str, args, image, classes: int, path: str) -> dict:
        """Writes one step with everything in it."""
        from training_step.keras_reference import reference_step

        examples, sizes = make_examples(image, classes, FEWEST_EXAMPLES), sizes_of_factors(classes)
        step = reference_step(model, args, examples, sizes, CHECKED_EXAMPLES)
        save_step(path, step)
        return {}

    def rates(self, precision: str) -> dict[str, float]:
        """Operations and bytes a second of a large product and a large copy."""
        import keras

        place = self.about()["device"]
        side, elements = MATRIX_SIDE[place], COPIED_ELEMENTS[place]
        matrix = keras.random.normal((side, side), dtype=precision)
        vector = keras.ops.ones((elements,), "float32")

        def wait(result):
            float(keras.ops.ravel(result)[0])

        return {
            "flops": best_rate(lambda: wait(keras.ops.matmul(matrix, matrix)), 2.0 * side**3),
            "bytes": best_rate(lambda: wait(vector + 1.0), 8.0 * elements),
        }


class TorchWorker:
    """The twins in PyTorch."""

    def __init__(self, threads: int):
        import torch

        torch.set_num_threads(threads)
        torch.backends.cuda.matmul.allow_tf32 = True  # as JAX and TensorFlow do by default
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True

    def about(self) -> dict[str, Any]:
        """Device and versions."""
        import torch
        from training_step.torch_twins import TWINS

        on_gpu = torch.cuda.is_available()
        return {
            "device": "gpu" if on_gpu else "cpu",
            "name": torch.cuda.get_device_name() if on_gpu else None,
            "versions": {"torch": torch.__version__},
            "twins": list(TWINS),
        }

    def build(self, *, config: Mapping[str, Any], path: str, precision: str):
        """Makes the loop that is timed from now on, over batches that Keras wrote."""
        from training_step.torch_step import fastest_loop

        self.loop, probe = fastest_loop(config, batches_of(load_step(path)), precision)
        return {"torch_probe": probe}

    def run(self, steps: int) -> dict[str, float]:
        """Seconds of some steps."""
        return timed(self.loop, steps)

    def differences(self, *, config: Mapping[str, Any], path: str) -> dict[str, Any]:
        """How far the twin is from the step that was written, in either memory format."""
        from training_step.torch_step import TorchLoop, differences

        reference, found = load_step(path), {}
        batches = [(reference["images"], reference["answers"])]
        for channels_last in (False, True):
            loop = TorchLoop(config, batches, "float32", channels_last=channels_last, fused=False)
            for name, difference in differences(loop, reference).items():
                found[name] = max(difference, found.get(name, 0.0))
        parameters = sum(parameter.numel() for parameter in loop.twin.parameters())
        return {"differences": found, "parameters": parameters}

    def rates(self, precision: str) -> dict[str, float]:
        """Operations and bytes a second of a large product and a large copy."""
        import torch

        place = self.about()["device"]
        device = "cuda" if place == "gpu" else "cpu"
        side, elements = MATRIX_SIDE[place], COPIED_ELEMENTS[place]
        matrix = torch.randn(side, side, device=device, dtype=getattr(torch, precision))
        source, target = (torch.ones(elements, device=device) for _ in range(2))

        def wait(result):
            float(result.ravel()[0])

        return {
            "flops": best_rate(lambda: wait(matrix @ matrix), 2.0 * side**3),
            "bytes": best_rate(lambda: wait(target.copy_(source)), 8.0 * elements),
        }
