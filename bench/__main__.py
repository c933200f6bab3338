"""``python -m bench [NAME …]``: run benchmarks and say what they found; exit code 1 when a target is missed."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import BENCHMARKS, report
from bench.measuring import Bench, BenchError, Scale, surroundings

MISSED, WRONG = 1, 2
LEAST_RUNS = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Runs what was asked for, one after the other."""
    arguments = _parser().parse_args(argv)
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.\n")
        return WRONG
    if arguments.runs < 1:
        sys.stderr.write(f"--runs is {arguments.runs}; it must be 1 or more.\n")
        return WRONG
    if arguments.dir is not None and not arguments.dir.is_dir():
        sys.stderr.write(f"--dir is {str(arguments.dir)!r}, which is not a folder; name one that is there.\n")
        return WRONG
    words = sys.stderr if arguments.json else sys.stdout
    results = []
    try:
        for name in arguments.names or BENCHMARKS:
            result = measure(name, Scale(arguments.scale), arguments.runs, arguments.dir)
            results.append(result)
            words.write("\n".join(report.lines(result)) + "\n\n")
            words.flush()
            if arguments.write_docs:
                report.write_page([result], f"python -m bench {name}")
    except BenchError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG
    if arguments.json:
        sys.stdout.write(json.dumps({"results": [result.as_json() for result in results]}, indent=2) + "\n")
    counts = arguments.scale == "full"
    return MISSED if counts and not all(result.met for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which to run; all if left out: {', '.join(BENCHMARKS)}"
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--small", dest="scale", action="store_const", const="small", help="a hundredth, for a quick look"
    )
    size.add_argument("--toy", dest="scale", action="store_const", const="toy", help="just enough to see that it runs")
    parser.add_argument("--runs", type=int, default=LEAST_RUNS, help="how often to measure each (3)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else there")
    parser.add_argument("--write-docs", action="store_true", help="put the figures into docs/benchmarks.md")
    parser.add_argument("--dir", type=Path, help="where to build the trees; the system's temporary folder if left out")
    parser.set_defaults(scale="full")
    return parser


def measure(name: str, scale: Scale, runs: int, place: Path | None) -> report.Result:
    """Runs one benchmark in a folder of its own that is gone afterwards."""
    benchmark = importlib.import_module(f"bench.{name}")
    with tempfile.TemporaryDirectory(prefix="fairfolder-bench-", dir=place) as folder:
        around = surroundings(Path(folder))
        began, started = report.now(), time.monotonic()
        figures = list(benchmark.run(Bench(Path(folder), scale, runs)))
        after = " ".join(Path("/proc/loadavg").read_text().split()[:3])
        return report.Result(name, scale.name, runs, began, time.monotonic() - started, around, after, figures)


if __name__ == "__main__":
    sys.exit(main())
