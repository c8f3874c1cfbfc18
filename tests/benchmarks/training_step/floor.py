"""The least time that the hardware allows a training step, and how it is counted.

A step cannot be faster than its arithmetic at the rate of one large matrix product, nor than its
traffic at the rate of one large copy. Both rates are measured on the machine at hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

BYTES = {"float32": 4, "bfloat16": 2}

Pass = tuple[str, bool, bool]
"""A network that runs on a batch: its name, and whether gradients are needed with respect to its
weights and to its inputs."""


def passes_of_zszu_vae(config: Mapping[str, Any]) -> list[Pass]:
    """Each encoder reads the images once, and variants are decoded and read again."""
    passes = [
        ("zs_encoder", True, False),  # of the images
        ("zu_encoder", True, False),
        ("decoder", True, True),  # of the posterior sample
        ("adversary", False, True),  # frozen, of zu
        ("adversary", True, False),  # of zu held still
    ]
    if config["consistency_weight"]:
        passes.append(("decoder", True, False))  # of codes that are held still
        passes.append(("zs_encoder", False, True))  # frozen, of these variants
    return passes


def passes_of_gzs_net(config: Mapping[str, Any]) -> list[Pass]:
    """All images of a group are encoded; what is decoded depends on the terms of the loss."""
    num_factors = sum(bool(block["factors"]) for block in config["latent_spec"].values())
    is_cover = bool(config["cover_weight"]) and config["group_size"] == 1 + num_factors
    swap, cycle, cir = (bool(config[f"{name}_weight"]) for name in ("swap", "cycle", "cir"))
    decoded = 2 + 2 * swap + is_cover + 4 * cycle + cir  # the centre and one sharer, and so on
    return [
        *[("encoder", True, False)] * config["group_size"],
        *[("decoder", True, True)] * decoded,
        *[("encoder", True, True)] * (2 * cycle + cir),  # of what was decoded
    ]


def passes_of_elegant(config: Mapping[str, Any]) -> list[Pass]:
    """Both images of a pair are encoded, decoded to themselves and with exchanged attributes."""
    back, restore, cir = (bool(config[f"{name}_weight"]) for name in ("back", "restore", "cir"))
    an_image = [
        ("encoder", True, False),
        *[("decoder", True, True)] * (2 + back + restore + cir),
        *[("encoder", True, True)] * (back + cir),  # of what was decoded
        *[("encoder", True, False)] * restore,  # of what was decoded, held still
    ]
    if config["gan_weight"]:
        has_two = min(config["observation_shape"][:2]) >= 32
        for network in ("discriminator", *["half_discriminator"] * has_two):
            an_image += [(network, False, True), *[(network, True, False)] * 2]  # frozen, own
    return config["group_size"] * an_image


def passes_of_classifier(config: Mapping[str, Any]) -> list[Pass]:
    """One."""
    return [("classifier", True, False)]


PASSES: dict[str, Callable[[Mapping[str, Any]], list[Pass]]] = {
    "zszu_vae": passes_of_zszu_vae,
    "gzs_net": passes_of_gzs_net,
    "elegant": passes_of_elegant,
    "classifier": passes_of_classifier,
}
"""Which networks run in a step on how many batches, by the model: a function of its hyperparameters
and of `group_size`, the number of images that an example has."""


def describe_layers(network) -> list[dict[str, int]]:
    """Multiply-adds, weights and output elements of each layer of a Keras network, an example.

    Args:
        network: A built network.

    Returns:
        One dictionary for every layer with a kernel, in order.
    """
    described = []
    for layer in network.layers:
        if hasattr(layer, "layers"):
            described += describe_layers(layer)
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
    passes: Sequence[Pass],
    layers: Mapping[str, list[dict[str, int]]],
    batch_size: int,
    precision: str,
) -> dict[str, float]:
    """Floating-point operations and bytes of a training step.

    The gradient with respect to the weights costs a layer one forward pass, that with respect to
    its inputs another, which the first layer is spared when nothing before it learns. Weights,
    gradients and both moments of Adam are read and written once, in float32; the output of every
    layer and its gradient are written once and read once in each run of the network.

    Args:
        passes: What `PASSES` says of the model.
        layers: `describe_layers` of each network.
        batch_size: Examples a step.
        precision: `"float32"` or `"bfloat16"`.

    Returns:
        `{"flops", "bytes"}`.
    """
    multiply_adds, outputs = 0, 0
    for network, weights_learn, inputs_learn in passes:
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
