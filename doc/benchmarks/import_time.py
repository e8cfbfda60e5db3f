"""Import skmem against importing numpy and the parts of scikit-learn that it uses, in new interpreters."""

import subprocess
import sys
from functools import partial

import numpy as np

from doc.benchmarks._common import arguments, show
from doc.benchmarks._timing import bounded, paired


def run(code):
    """What a new interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], check=True, text=True, capture_output=True)


def main(argv=None):
    args = arguments(argv, __doc__)
    loaded = run("import sys, skmem; print(*sys.modules)").stdout.split()
    parts = ", ".join(m for m in loaded if m == "numpy" or m.startswith("sklearn"))
    repeats = 1 if args.quick else 2 * args.repeats
    imports = ("import skmem", f"import {parts}")
    seconds = paired(*(partial(run, code) for code in imports), repeats=repeats)
    extra = np.median(seconds[:, 0] - seconds[:, 1])
    cells = [f"{s:.3g} s" for s in np.median(seconds, axis=0)]
    lines = [bounded("`import skmem` in a new interpreter", extra, 0.2, "s more", cells)]
    show(__doc__, lines, args)


if __name__ == "__main__":
    main()
