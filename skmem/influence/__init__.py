"""Which training rows made a point likely: influence in nats, positive for proponents."""

__all__ = []
