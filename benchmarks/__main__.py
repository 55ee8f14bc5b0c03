"""`python -m benchmarks [--rounds N]`: runs the rows and writes `benchmarks/README.md`."""

from __future__ import annotations

import argparse

from benchmarks.report import write_report
from benchmarks.stack import example_project, stack_rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds of each row (default 7)")
    options = parser.parse_args()
    with example_project() as project:
        rows = stack_rows(project, options.rounds)
    print(write_report(rows))


if __name__ == "__main__":
    main()
