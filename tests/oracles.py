"""Slow twins: every fast path of skmem is held against one of these, written as its definition reads."""
