"""Arguments of the zs/zu model that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentloom.model_zoo.losses.interpolation import check_cir

if TYPE_CHECKING:
    from latentloom.model_zoo.zszu_vae.zszu_vae import ZsZuVAE

PRECISIONS = ("learnt", "fixed")
SAMPLED_PRIORS = ("refitted", "learnt")
ZU_HEADS = ("gaussian", "stiefel")


def check_arguments(model: ZsZuVAE) -> None:
    """Refuses arguments that a model was made with.

    Raises:
        ValueError: A choice is unknown, or a number out of range.
    """
    check_cir(model, list(model.latent_spec))
    choices = {"precision": PRECISIONS, "sampled_prior": SAMPLED_PRIORS, "zu_head": ZU_HEADS}
    for name, known in choices.items():
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
    if model.zu_head == "stiefel" and model.zu_dim > model.zu_feature_dim:
        raise ValueError(
            "The subspace of zu does not fit into its features. Expected: zu_dim <= "
            f"zu_feature_dim. Received: zu_dim={model.zu_dim}, zu_feature_dim="
            f"{model.zu_feature_dim}. Raise `model.args.zu_feature_dim`."
        )
    if model.noise_variance <= 0 or model.adversary_steps < 1:
        raise ValueError(
            "The noise or the adversary cannot be so. Expected: noise_variance > 0 and "
            f"adversary_steps >= 1. Received: noise_variance={model.noise_variance}, "
            f"adversary_steps={model.adversary_steps}. Raise it under `model.args`."
        )
