"""Does generated data copy the training data, and which rows?"""

from skmem.copying._audit import CopyingAudit, audit_copying
from skmem.copying._authenticity import Authenticity, authenticity
from skmem.copying._coverage import Coverage, coverage
from skmem.copying._data_copying import DataCopying, data_copying_test
from skmem.copying._distance_ratio import DistanceRatios, nearest_neighbor_distance_ratio
from skmem.copying._duplicates import Duplicates, find_duplicates
from skmem.copying._membership import MembershipInference, membership_inference
from skmem.copying._records import ClosestRecords, distance_to_closest_record

__all__ = [
    "audit_copying",
    "CopyingAudit",
    "nearest_neighbor_distance_ratio",
    "DistanceRatios",
    "data_copying_test",
    "DataCopying",
    "authenticity",
    "Authenticity",
    "distance_to_closest_record",
    "ClosestRecords",
    "find_duplicates",
    "Duplicates",
    "membership_inference",
    "MembershipInference",
    "coverage",
    "Coverage",
]
