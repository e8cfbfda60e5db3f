"""Does generated data copy the training data, and which rows?"""

__all__ = []
