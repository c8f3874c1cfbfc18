"""Arguments of the Stiefel-Restricted Kernel Machine that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latentloom.model_zoo.st_rkm.st_rkm import StRKM

FORMS = ("deterministic", "noisy", "split")


def check_arguments(model: StRKM) -> None:
    """Refuses arguments that a model was made with.

    Raises:
        ValueError: The form of the loss is unknown, or a number out of range.
    """
    if model.form not in FORMS:
        raise ValueError(
            f"The loss is unknown. Expected: one of {', '.join(FORMS)}. Received: "
            f"loss={model.form!r}. Set `model.args.loss` to one of these."
        )
    if not 1 <= model.dim <= model.feature_dim:
        raise ValueError(
            "The subspace does not fit into the features. Expected: 1 <= dim <= feature_dim. "
            f"Received: dim={model.dim}, feature_dim={model.feature_dim}. Lower `model.args.dim`, "
            "or raise `model.args.feature_dim`."
        )
    positive = ("reconstruction_weight", "subspace_rate", "num_components", "noisy_every")
    if model.form != "deterministic":
        positive += ("noise",)
    for name in positive:
        if not getattr(model, name) > 0:
            raise ValueError(
                f"`{name}` cannot be so. Expected: above 0. Received: "
                f"{name}={getattr(model, name)}. Raise `model.args.{name}`."
            )
