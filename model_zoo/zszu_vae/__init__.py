"""The zs/zu variational auto-encoder of Zheng & Sun, CVPR 2019."""

from latentloom.model_zoo.zszu_vae.zszu_vae import ZsZuVAE

__all__ = ["ZsZuVAE"]
