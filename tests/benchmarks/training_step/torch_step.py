"""The plain PyTorch training loop over the twins, and the proof that the twins are twins."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from training_step.torch_networks import Flatten, Unflatten
from training_step.torch_twins import TWINS

PROBE_STEPS = 4


class TorchLoop:
    """Adam on a twin, eagerly: what one writes in PyTorch without a framework on top.

    Args:
        config: Hyperparameters of the Keras model, with `model`, its name.
        batches: `(images, labels)` as NumPy has them, channels last.
        precision: `"float32"`, or `"bfloat16"` for autocast with losses in float32.
        channels_last: Whether images lie in memory as `(height, width, channels)`.
        fused: Whether Adam updates in one fused kernel instead of in PyTorch's default way.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        batches: Sequence[tuple[np.ndarray, np.ndarray]],
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
        self.twin = TWINS[config["model"]](config).to(self.device, memory_format=self.memory)
        self.batches = itertools.cycle([self.to_device(*batch) for batch in batches])
        rate, steps = config["learning_rate"], config["schedule_steps"]
        self.optimizer = torch.optim.Adam(
            self.twin.parameters(), lr=rate, betas=(0.9, 0.999), eps=1e-7, fused=fused or None
        )
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            self.optimizer, steps, eta_min=0.05 * rate
        )
        self.totals: torch.Tensor | None = None

    def to_device(self, images: np.ndarray, labels: np.ndarray):
        """Tensors on the device, channels second, in the memory format."""
        tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
        tensor = tensor.to(self.device).contiguous(memory_format=self.memory)
        return tensor, torch.from_numpy(labels).long().to(self.device)

    def terms(self, images, labels, noise) -> dict[str, torch.Tensor]:
        """The loss and its terms, in float32."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            outputs = self.twin(images, noise)
            return self.twin.loss_terms(images, labels, outputs, noise)

    def step(self) -> None:
        """One step: loss, gradients, Adam, and the running sums that training shows."""
        images, labels = next(self.batches)
        terms = self.terms(images, labels, self.twin.noise(len(labels), self.device))
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
    names = ("weight", "bias", *(("running_mean", "running_var") if buffers else ()))
    for prefix, module in twin.named_modules():
        if isinstance(module, Unflatten):
            for name in ("weight", "bias"):
                converted[f"{linear}.{name}"] = converted[f"{linear}.{name}"][module.order()]
        elif isinstance(module, Flatten):
            order = module.order()
        for name in names if not len(list(module.children())) else ():
            if getattr(module, name, None) is not None:
                array = next(left)
                array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
                converted[f"{prefix}.{name}"] = array
        if isinstance(module, nn.Linear):
            weight = converted[f"{prefix}.weight"]
            converted[f"{prefix}.weight"] = weight if order is None else weight[:, order]
            order, linear = None, prefix
    converted |= {name: next(left) for name, _ in twin.named_parameters(recurse=False)}
    if next(left, None) is not None:
        raise ValueError("The Keras model has weights that its twin lacks.")
    return converted


def differences(loop: TorchLoop, reference: Mapping[str, Any]) -> dict[str, float]:
    """How far the twin is from its Keras model, given its weights, its batch and its noise.

    Args:
        loop: A loop of float32, whose weights are overwritten.
        reference: What `keras_step.reference_step` returns.

    Returns:
        For every output, loss term and gradient the largest difference, relative to the largest
        element in the reference.
    """
    twin, device = loop.twin, loop.device
    weights = weights_from_keras(twin, reference["weights"], buffers=True)
    with torch.no_grad():
        for name, tensor in {**twin.state_dict()}.items():
            if name in weights:
                tensor.copy_(torch.from_numpy(np.ascontiguousarray(weights[name])))
    images, labels = loop.to_device(reference["images"], reference["labels"])
    noise = tuple(torch.from_numpy(draw).to(device) for draw in reference["noise"])
    twin.train(False)
    outputs = twin(images, noise)
    twin.train()
    for module in twin.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    terms = loop.terms(images, labels, noise)
    twin.zero_grad()
    terms["loss"].backward()
    gradients = weights_from_keras(twin, reference["gradients"], buffers=False)
    pairs = {name: (outputs[name], array) for name, array in reference["outputs"].items()}
    zero = torch.zeros(())  # for terms that are not in use
    pairs |= {name: (terms.get(name, zero), value) for name, value in reference["terms"].items()}
    parameters = dict(twin.named_parameters())
    pairs |= {f"d/d {name}": (parameters[name].grad, array) for name, array in gradients.items()}
    return {name: _difference(ours, theirs) for name, (ours, theirs) in pairs.items()}


def _difference(ours: torch.Tensor, theirs: np.ndarray) -> float:
    ours = ours.detach().cpu().numpy()
    if ours.ndim == 4:
        theirs = theirs if ours.shape == theirs.shape else theirs.transpose(0, 3, 1, 2)
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-12))
