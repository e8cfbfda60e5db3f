"""Which training rows made a point likely: influence in nats, positive for proponents."""

from skmem.influence._empirical import empirical_influence
from skmem.influence._leave_one_out import leave_one_out_influence

__all__ = ["leave_one_out_influence", "empirical_influence"]
