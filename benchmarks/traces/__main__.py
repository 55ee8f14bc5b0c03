"""`python -m benchmarks.traces soak|opening|cost`: what traces cost, and how much the dashboard takes."""

from __future__ import annotations

import argparse
import sys


def main() -> int:
    """0 if what was asked for holds: nothing lost, a page in time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.traces", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    soaking = kinds.add_parser("soak", help="spans at a steady rate: lost, memory, answers of pages")
    soaking.add_argument("--seconds", type=float, default=600.0)
    soaking.add_argument("--rate", type=int, default=5000, help="spans a second")
    soaking.add_argument("--full", action="store_true", help="begin with a store that is nearly full")
    opening = kinds.add_parser("opening", help="a trace of many spans, from the store to the painted page")
    opening.add_argument("--spans", type=int, default=10_000)
    opening.add_argument("--times", type=int, default=15)
    costing = kinds.add_parser("cost", help="requests to the sample, with the variables and without")
    costing.add_argument("--requests", type=int, default=600, help="to each of the two")
    options = parser.parse_args()
    if options.kind == "soak":
        from benchmarks.traces.soak import soak

        return 0 if soak(options.seconds, options.rate, full=options.full) else 1
    if options.kind == "opening":
        from benchmarks.traces.opening import measure_opening

        return 0 if measure_opening(options.spans, options.times) else 1
    from benchmarks.traces.cost import measure_cost

    measure_cost(options.requests)
    return 0


if __name__ == "__main__":
    sys.exit(main())
