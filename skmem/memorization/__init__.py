"""One memorization score per row, in nats, with its uncertainty."""
