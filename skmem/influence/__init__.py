"""Which training rows made a point likely: influence in nats, positive for proponents."""

from skmem.influence._detection import DetectionCurve, detection_curve
from skmem.influence._empirical import empirical_influence
from skmem.influence._explain import SampleExplanations, explain_samples
from skmem.influence._influence_function import InfluenceFunction
from skmem.influence._leave_one_out import leave_one_out_influence
from skmem.influence._metrics import (
    Agreement,
    leave_one_out_correlation,
    linear_datamodeling_score,
)
from skmem.influence._tracin import TracIn

__all__ = [
    "leave_one_out_influence",
    "empirical_influence",
    "InfluenceFunction",
    "TracIn",
    "explain_samples",
    "SampleExplanations",
    "linear_datamodeling_score",
    "leave_one_out_correlation",
    "Agreement",
    "detection_curve",
    "DetectionCurve",
]
