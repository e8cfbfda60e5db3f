"""Run the benchmarks one after another, each in a process of its own, and write their tables to RESULTS.md.

    python -m doc.benchmarks [NAME ...] [--mnist PATH] [--large]

from the root of the repository; without names, all of them, else the tables of the others stay. `python -m
doc.benchmarks.NAME` runs one alone and writes nothing.
"""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

from doc.benchmarks._common import make_parser

HERE = Path(__file__).resolve().parent
NAMES = sorted(path.stem for path in HERE.glob("[!_]*.py"))
HEAD = """# Benchmarks

Medians over rounds in which both sides took turns; ratios are medians of the ratios within a round."""


def main(argv=None):
    parser = make_parser(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    args = parser.parse_args(argv)
    if unknown := set(args.names) - set(NAMES):
        parser.error(f"NAME must be one of {', '.join(NAMES)}, got {', '.join(sorted(unknown))}.")
    flags = [f"--{name}" for name in ("large", "quick") if getattr(args, name)]
    data = ["--mnist", str(Path(args.mnist).resolve())] if args.mnist else []
    options = [f"--repeats={args.repeats}", *flags, *data]
    shown = "".join(f" {flag}" for flag in [*flags, *(["--mnist PATH"] * bool(data))])
    sections = written(args.output) if args.names else {}
    for name in args.names or NAMES:
        how = f"Written on {date.today()} by `python -m doc.benchmarks.{name}{shown}`."
        sections[name] = f"## {name}\n\n{how}\n\n{run(name, options).strip()}"
        print(sections[name], flush=True)
        ordered = [HEAD, *(sections[key] for key in sorted(sections))]
        args.output.write_text("\n\n".join(ordered) + "\n")


def written(path):
    """The sections of a file that was written before, by name."""
    text = path.read_text() if path.exists() else ""
    parts = re.split(r"^(?=## \w+$)", text, flags=re.MULTILINE)[1:]
    return {part.split(None, 2)[1]: part.strip() for part in parts}


def run(name, options):
    """What a benchmark prints; its errors go to ours."""
    command = [sys.executable, "-m", f"doc.benchmarks.{name}", *options]
    return subprocess.run(
        command, check=True, text=True, stdout=subprocess.PIPE, cwd=HERE.parents[1]
    ).stdout


if __name__ == "__main__":
    main()
