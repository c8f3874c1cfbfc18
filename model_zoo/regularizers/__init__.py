"""Terms that any latent model can add to its loss."""

from latentloom.model_zoo.regularizers.cir import check_cir, cir_loss, interpolation_loss

__all__ = ["check_cir", "cir_loss", "interpolation_loss"]
