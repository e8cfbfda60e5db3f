"""Pictures of results: displays take arrays, draw them with matplotlib (extra `plot`), and compute nothing."""

from skmem.inspection._copying import CopyingDisplay
from skmem.inspection._density_map import DensityMapDisplay
from skmem.inspection._influence import InfluenceDisplay
from skmem.inspection._memorization import MemorizationDisplay
from skmem.inspection._path import MemorizationPathDisplay
from skmem.inspection._search import SearchDisplay

__all__ = [
    "CopyingDisplay",
    "DensityMapDisplay",
    "InfluenceDisplay",
    "MemorizationDisplay",
    "MemorizationPathDisplay",
    "SearchDisplay",
]
