"""Results in words: plain dicts, and text made of them."""

from skmem.report._diagnose import Finding, diagnose

__all__ = ["Finding", "diagnose"]
