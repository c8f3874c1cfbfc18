"""Arguments of the zs/zu model that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model_zoo.regularizers import check_cir

if TYPE_CHECKING:
    from model_zoo.zszu_vae.zszu_vae import ZsZuVAE

PRECISIONS = ("learnt", "fixed")
SAMPLED_PRIORS = ("refitted", "learnt")


def check_arguments(model: ZsZuVAE) -> None:
    """Refuses arguments that a model was made with.

    Raises:
        ValueError: A choice is unknown, or a number out of range.
    """
    check_cir(model)
    for name, known in (("precision", PRECISIONS), ("sampled_prior", SAMPLED_PRIORS)):
        if getattr(model, name) not in known:
            raise ValueError(
                f"`{name}` is unknown. Expected: one of {', '.join(known)}. Received: "
                f"{name}={getattr(model, name)!r}. Set `model.args.{name}` to one of these."
            )
    if not 0 <= model.mixture_share <= 1:
        raise ValueError(
            "The share of draws is impossible. Expected: mixture_share in [0, 1]. Received: "
            f"mixture_share={model.mixture_share}. Set `model.args.mixture_share` to 0 to keep "
            "every code of the batch."
        )
    if model.noise_variance <= 0 or model.adversary_steps < 1:
        raise ValueError(
            "The noise or the adversary cannot be so. Expected: noise_variance > 0 and "
            f"adversary_steps >= 1. Received: noise_variance={model.noise_variance}, "
            f"adversary_steps={model.adversary_steps}. Raise it under `model.args`."
        )
