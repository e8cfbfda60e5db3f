"""Which device a net is trained and scored on."""

import torch


def resolve_device(device):
    """The device for "auto", "cpu", "cuda", "cuda:1", ...; of a list, the first.

    Raises
    ------
    ValueError
        If torch knows no such device, or doesn't see it here; if a list is empty.
    """
    devices = [device] if isinstance(device, str) else list(device)
    if not devices or not all(isinstance(name, str) for name in devices):
        raise ValueError(f"device must be a name or a list of at least one, got {device!r}.")
    checked = [_checked(name) for name in devices]
    return checked[0]


def _checked(device):
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda" if n_gpus else "cpu"
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"device must be one that torch knows, got {device!r}: {error}") from None
    if resolved.type == "cuda" and (resolved.index or 0) >= n_gpus:
        raise ValueError(
            f"device={device!r} needs a GPU that torch sees, and it sees {n_gpus}; device='auto' takes the CPU "
            "where there is none."
        )
    try:
        torch.empty(0, device=resolved)
    except Exception as error:  # of many types
        raise ValueError(f"device={device!r} is not there for torch: {error}") from None
    return device
