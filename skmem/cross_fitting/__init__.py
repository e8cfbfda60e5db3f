"""Score each row by fits that saw it and by fits that did not."""

from skmem.cross_fitting._cross_fit import CrossFit, cross_fit
from skmem.cross_fitting._splits import SubsetSplit

__all__ = ["CrossFit", "SubsetSplit", "cross_fit"]
