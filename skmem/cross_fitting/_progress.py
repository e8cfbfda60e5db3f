"""Count finished fits on stderr."""

import sys


def track(results, n_fits, show):
    """Iterate over `results`, counting them on stderr if `show`: a bar where rich is installed."""
    if not show:
        return results
    try:
        from rich.console import Console
        from rich.progress import track as rich_track
    except ImportError:
        return _count(results, n_fits)
    return rich_track(results, "fit", total=n_fits, console=Console(stderr=True))


def _count(results, n_fits):
    """Iterate over `results` under a line of text that is written over."""
    try:
        for done, result in enumerate(results, start=1):
            sys.stderr.write(f"\rfit {done}/{n_fits}")
            sys.stderr.flush()
            yield result
    finally:
        sys.stderr.write("\n")
