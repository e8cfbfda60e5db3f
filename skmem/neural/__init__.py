"""Deep densities; the estimators need the extra `torch`, importing them does not."""

from skmem.neural._vae import VAE

__all__ = ["VAE"]
