"""What of the extra `torch` is needed when, and what to install where it is missing."""

from importlib import import_module


def require(*names):
    """Raise an ImportError that says what to install, if one of these packages is missing."""
    try:
        for name in names:
            import_module(name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f'skmem.neural needs {" and ".join(names)}, and {error.name} is missing: pip install "skmem[torch]"'
        ) from error


def require_torch():
    """Raise an ImportError that says what to install, if training is not possible."""
    require("torch", "skorch")
