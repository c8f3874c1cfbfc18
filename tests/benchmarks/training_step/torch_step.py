"""The plain PyTorch training loop over the twins, and the proof that the twins are twins."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from training_step.torch_networks import Flatten, Unflatten
from training_step.torch_twins import new_twin

PROBE_STEPS = 4
NEGLIGIBLE = 1e-6
"""Gradient, relative to the largest of all, below which it is rounding: that of a bias before a
normalisation, for one."""


class TorchLoop:
    """Adam on a twin, eagerly: what one writes in PyTorch without a framework on top.

    Args:
        config: Hyperparameters of the Keras model, with `model`, its name.
        batches: `(images, answers)` as Keras has them, channels last: labels, or arrays by name.
        precision: `"float32"`, or `"bfloat16"` for autocast with losses in float32.
        channels_last: Whether images lie in memory as `(height, width, channels)`.
        fused: Whether Adam updates in one fused kernel instead of in PyTorch's default way.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        batches: Sequence[tuple[np.ndarray, Any]],
        precision: str,
        *,
        channels_last: bool,
        fused: bool,
    ):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.memory = torch.channels_last if channels_last else torch.contiguous_format
        self.half = precision == "bfloat16"
        config = {**config, "channels_last": channels_last}
        torch.manual_seed(0)
        self.twin = new_twin(config).to(self.device, memory_format=self.memory)
        self.batches = itertools.cycle([self.to_device(*batch) for batch in batches])
        self.optimizer = torch.optim.Adam(
            self._groups(config), betas=(0.9, 0.999), eps=1e-7, fused=fused or None
        )
        steps = config["schedule_steps"]
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: 0.05 + 0.475 * (1.0 + math.cos(math.pi * step / steps))
        )
        self.totals: torch.Tensor | None = None

    def _groups(self, config: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Parameters by their learning rates."""
        rate, relative_rates = config["learning_rate"], config.get("relative_rates", {})
        parts = {name: list(getattr(self.twin, name).parameters()) for name in relative_rates}
        apart = {parameter for part in parts.values() for parameter in part}
        others = [parameter for parameter in self.twin.parameters() if parameter not in apart]
        groups = [{"params": parts[n], "lr": r * rate} for n, r in relative_rates.items()]
        return [{"params": others, "lr": rate}, *groups]

    def to_device(self, images: np.ndarray, answers: Any):
        """Tensors on the device, channels second, in the memory format; groups lie in one row."""
        tensor = torch.from_numpy(images).movedim(-1, -3).to(self.device)
        row = tensor.reshape(-1, *tensor.shape[-3:]).contiguous(memory_format=self.memory)
        if isinstance(answers, Mapping):
            labels = {name: self._integers(array) for name, array in answers.items()}
        else:
            labels = self._integers(answers)
        return row.unflatten(0, tensor.shape[:-3]), labels

    def _integers(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).long().to(self.device)

    def terms(self, images, answers, noise) -> dict[str, torch.Tensor]:
        """The loss and its terms, in float32."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            outputs = self.twin(images, noise)
            return self.twin.loss_terms(images, answers, outputs, noise)

    def step(self) -> None:
        """One step: loss, gradients, Adam, and the running sums that training shows."""
        images, answers = next(self.batches)
        terms = self.terms(images, answers, self.twin.noise(len(images), self.device))
        self.optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        self.optimizer.step()
        self.schedule.step()
        shown = torch.stack([term.detach() for term in terms.values()])
        self.totals = shown if self.totals is None else self.totals.add_(shown)

    def seconds(self, steps: int) -> float:
        """Seconds that some steps take, the device's queue empty before and after."""
        self.synchronize()
        begin = time.perf_counter()
        for _ in range(steps):
            self.step()
        self.synchronize()
        return time.perf_counter() - begin

    def synchronize(self) -> None:
        """Waits for the device."""
        if self.device == "cuda":
            torch.cuda.synchronize()


def fastest_loop(config, batches, precision: str) -> tuple[TorchLoop, dict[str, float]]:
    """The loop in the memory format and with the Adam that are fastest, with all their seconds."""
    seconds, loops = {}, {}
    for channels_last, fused in itertools.product((False, True), (False, True)):
        kind = f"{'channels_last' if channels_last else 'contiguous'}{', fused' * fused}"
        loop = TorchLoop(config, batches, precision, channels_last=channels_last, fused=fused)
        loop.seconds(PROBE_STEPS)
        seconds[kind] = min(loop.seconds(PROBE_STEPS) for _ in range(3)) / PROBE_STEPS
        loops[kind] = loop
    return loops[min(seconds, key=seconds.get)], seconds


def weights_from_keras(
    twin: nn.Module, arrays: Sequence[np.ndarray], *, buffers: bool
) -> dict[str, np.ndarray]:
    """A Keras model's arrays, of its weights or of their gradients, as the twin has them.

    Args:
        twin: The twin, which says in which order images are flattened.
        arrays: In the order of the Keras model's `weights`, or of its `trainable_weights`.
        buffers: Whether the arrays that are not trained are among them.

    Returns:
        One array a parameter, and a buffer, under the twin's own names.
    """
    left, converted, order, linear = iter(arrays), {}, None, ""
    names = ["weight", "bias", "loc", "raw_precision"]
    names = ["direction", *names, "running_mean", "running_var"] if buffers else names
    for prefix, module in twin.named_modules():
        if isinstance(module, Unflatten):
            for name in ("weight", "bias"):
                converted[f"{linear}.{name}"] = converted[f"{linear}.{name}"][module.order()]
        elif isinstance(module, Flatten):
            order = module.order()
        for name in names if not len(list(module.children())) else ():
            if getattr(module, name, None) is not None:
                array = next(left)
                if name == "weight":
                    array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
                converted[f"{prefix}.{name}"] = array
        if isinstance(module, nn.Linear):
            weight = converted[f"{prefix}.weight"]
            converted[f"{prefix}.weight"] = weight if order is None else weight[:, order]
            order, linear = None, prefix
    if next(left, None) is not None:
        raise ValueError("The Keras model has weights that its twin lacks.")
    return converted


def differences(loop: TorchLoop, reference: Mapping[str, Any]) -> dict[str, float]:
    """How far the twin is from its Keras model, given its weights, its batch and its noise.

    Args:
        loop: A loop of float32, whose weights are overwritten.
        reference: What `keras_reference.reference_step` returns.

    Returns:
        For every output, loss term and gradient the largest difference, relative to the largest
        element in the reference, and how far the longest updates of each parameter are apart.
    """
    twin, device = loop.twin, loop.device
    weights = weights_from_keras(twin, reference["weights"], buffers=True)
    with torch.no_grad():
        for name, tensor in {**twin.state_dict()}.items():
            if name in weights:
                tensor.copy_(torch.from_numpy(np.asarray(weights[name], order="C")))
    images, answers = loop.to_device(reference["images"], reference["answers"])
    noise = tuple(torch.from_numpy(draw).to(device) for draw in reference["noise"])
    twin.train(False)
    outputs = twin(images, noise)
    twin.train()
    for module in twin.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    terms = loop.terms(images, answers, noise)
    twin.zero_grad()
    terms["loss"].backward()
    pairs = {name: (outputs[name], array) for name, array in reference["outputs"].items()}
    zero = torch.zeros(())  # for terms that are not in use
    pairs |= {name: (terms.get(name, zero), value) for name, value in reference["terms"].items()}
    return {
        **{name: _difference(ours, theirs) for name, (ours, theirs) in pairs.items()},
        **_differences_of_step(loop, reference),
    }


def _differences_of_step(loop: TorchLoop, reference: Mapping[str, Any]) -> dict[str, float]:
    """How far gradients, and the longest updates that Adam makes of them, are apart."""
    gradients = weights_from_keras(loop.twin, reference["gradients"], buffers=False)
    updates = weights_from_keras(loop.twin, reference["updates"], buffers=False)
    largest = {name: float(np.abs(array).max()) for name, array in gradients.items()}
    counts = [name for name, value in largest.items() if value > NEGLIGIBLE * max(largest.values())]
    parameters = dict(loop.twin.named_parameters())
    before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    found = {f"d/d {n}": _difference(parameters[n].grad, gradients[n]) for n in counts}
    for group in loop.optimizer.param_groups:
        # Keras adds epsilon before the bias correction, which in the first step is this much.
        group["eps"] /= math.sqrt(1 - group["betas"][1])
    loop.optimizer.step()
    for name in counts:
        longest = (parameters[name].detach() - before[name]).abs().max()
        found[f"update of {name}"] = _difference(longest, np.abs(updates[name]).max())
    return found


def _difference(ours: torch.Tensor, theirs: np.ndarray) -> float:
    ours = ours.detach().cpu().numpy()
    if ours.ndim == 4:
        theirs = theirs if ours.shape == theirs.shape else theirs.transpose(0, 3, 1, 2)
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-12))
