"""Which training rows made a point likely: influence in nats, positive for proponents."""

from skmem.influence._influence_function import InfluenceFunction
from skmem.influence._tracin import TracIn

__all__ = ["InfluenceFunction", "TracIn"]
