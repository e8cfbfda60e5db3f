"""Warnings that point at the user's line, however many of our calls lie between."""

import inspect
import warnings

_OURS = {"skmem", "sklearn"}


def warn_user(message, category=UserWarning):
    """Warn at the nearest line outside skmem and scikit-learn, whose decorators wrap our doors."""
    frame, level = inspect.currentframe(), 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _OURS:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def warn_of_useless_memory(memory, random_state):
    """Warn of a cache in which nothing will be found again."""
    if memory is not None and random_state is None:
        warn_user(
            "memory needs a fixed random_state to find its fits again, got random_state=None."
        )
