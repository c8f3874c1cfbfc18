"""The least time that the hardware allows a training step, and how it is counted.

A step cannot be faster than its arithmetic at the rate of one large matrix product, nor than its
traffic at the rate of one large copy. Both rates are measured on the machine at hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

BYTES = {"float32": 4, "bfloat16": 2}

PASSES: dict[str, tuple[tuple[str, bool, bool], ...]] = {
    "zszu_vae": (
        ("zs_encoder", True, False),  # of the images
        ("zu_encoder", True, False),
        ("decoder", True, True),  # of the posterior sample
        ("decoder", True, False),  # of the consistency term, whose codes are held still
        ("zs_encoder", False, True),  # frozen, of the variants
        ("adversary", False, True),  # frozen, of zu
        ("adversary", True, False),  # of zu held still
    ),
    "classifier": (("classifier", True, False),),
}
"""How often each network runs in a step: its name, and whether gradients are needed with respect
to its weights and to its inputs."""


def describe_layers(network) -> list[dict[str, int]]:
    """Multiply-adds, weights and output elements of each layer of a Keras network, an example.

    Args:
        network: A built `keras.Sequential`.

    Returns:
        One dictionary for every layer with a kernel, in order.
    """
    described = []
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        size = _product(kernel.shape)
        is_transposed = "Transpose" in type(layer).__name__
        positions = _product((layer.input if is_transposed else layer.output).shape[1:-1])
        described.append(
            {
                "multiply_adds": size * positions,
                "weights": sum(_product(weight.shape) for weight in layer.weights),
                "outputs": _product(layer.output.shape[1:]),
            }
        )
    return described


def _product(sides) -> int:
    result = 1
    for side in sides:
        result *= int(side)
    return result


def step_costs(
    model: str, layers: Mapping[str, list[dict[str, int]]], batch_size: int, precision: str
) -> dict[str, float]:
    """Floating-point operations and bytes of a training step.

    The gradient with respect to the weights costs a layer one forward pass, that with respect to
    its inputs another, which the first layer is spared when nothing before it learns. Weights,
    gradients and both moments of Adam are read and written once, in float32; the output of every
    layer and its gradient are written once and read once in each run of the network.

    Args:
        model: Key of `PASSES`.
        layers: `describe_layers` of each network.
        batch_size: Examples a step.
        precision: `"float32"` or `"bfloat16"`.

    Returns:
        `{"flops", "bytes"}`.
    """
    multiply_adds, outputs = 0, 0
    for network, weights_learn, inputs_learn in PASSES[model]:
        costs = [layer["multiply_adds"] for layer in layers[network]]
        before = sum(costs) if inputs_learn else sum(costs[1:])
        multiply_adds += sum(costs) * (1 + weights_learn) + before
        outputs += sum(layer["outputs"] for layer in layers[network])
    weights = sum(layer["weights"] for network in layers.values() for layer in network)
    traffic = 2 * (4 * weights * 4 + 2 * outputs * batch_size * BYTES[precision])
    return {"flops": 2.0 * multiply_adds * batch_size, "bytes": float(traffic)}


def best_rate(work: Callable[[], Any], amount: float, repeats: int = 7) -> float:
    """Amount a second in the fastest of several runs; `work` waits for its device."""
    work()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return amount / min(seconds)


def floor_of(costs: Mapping[str, float], rates: Mapping[str, float]) -> dict[str, float]:
    """Seconds of arithmetic and of traffic, and the larger of both."""
    seconds = {key: costs[key] / rates[key] for key in ("flops", "bytes")}
    return {
        "arithmetic_seconds": seconds["flops"],
        "traffic_seconds": seconds["bytes"],
        "seconds": max(seconds.values()),
    }
