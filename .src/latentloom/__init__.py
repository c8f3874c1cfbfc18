"""Structured latent models that turn a labelled data set into a larger, labelled one, at scale."""
