"""Densities: `fit`, then `score_samples` in nats per row."""
