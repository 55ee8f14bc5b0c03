"""`python -m benchmarks [--only SECTION,…] [--rounds N]`: runs sections and writes `benchmarks/README.md`."""

from __future__ import annotations

import argparse
import compileall
from collections.abc import Callable
from pathlib import Path

from benchmarks.commands import command_rows
from benchmarks.dashboard.rows import dashboard_rows
from benchmarks.logs import log_rows
from benchmarks.pairing import Row, as_markdown
from benchmarks.plot import draw
from benchmarks.remote import remote_rows
from benchmarks.report import ORDER, engine_version, keep, write_report
from benchmarks.scale import SIZES, scale_rows
from benchmarks.stack import stack_rows
from benchmarks.watch import watch_rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", default=",".join(ORDER), help=f"sections of {', '.join(ORDER)} (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds of each row (default 7)")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of services of `scale`")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of 5,000 lines a second, in `dashboard` (default 60)"
    )
    options = parser.parse_args()
    sizes = tuple(int(size) for size in options.sizes.split(","))
    sections: dict[str, Callable[[], list[Row]]] = {
        "stack": lambda: stack_rows(options.rounds),
        "remote": lambda: remote_rows(options.rounds),
        "watch": lambda: watch_rows(),
        "logs": lambda: log_rows(options.rounds),
        "scale": lambda: _scale(options.rounds, sizes),
        "commands": lambda: command_rows(options.rounds),
        "dashboard": lambda: dashboard_rows(options.seconds),
    }
    compileall.compile_dir("invoke_devstack", quiet=1)  # as pip does when it installs a package
    for name in options.only.split(","):
        rows = sections[name]()
        keep(name, rows)
        print(f"{name}\n{as_markdown(rows)}\n", flush=True)
        write_report()


def _scale(rounds: int, sizes: tuple[int, ...]) -> list[Row]:
    rows, points = scale_rows(min(rounds, 3), sizes)
    if points:
        text = draw(
            [point for point in points if "chain" not in point.line],
            f"up and down by number of services, Engine {engine_version()}",
        )
        Path(__file__).with_name("growth.svg").write_text(text)
    return rows


if __name__ == "__main__":
    main()
