"""`python -m tests.faults`: breaks things on an engine of its own, and prints what came of it."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from pathlib import Path

from tests.faults import isolation
from tests.faults.catalogue import FAULTS, Fault
from tests.faults.engine import OwnEngine, programs_there
from tests.faults.lab import Lab
from tests.faults.second.blows import BLOWS, WITHOUT_RESTART
from tests.faults.tally import Row, table


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of every moment and choice; 1 by default")
    parser.add_argument("--rounds", type=int, help="of each fault, instead of its own number")
    parser.add_argument("--only", default="", help=f"these alone, with commas: {', '.join(FAULTS)}")
    parser.add_argument(
        "--blows",
        type=lambda text: tuple(filter(None, text.split(","))),
        help=f"what strikes in the faults named `second`: {', '.join(BLOWS)}; all by default, and with "
        f"--quick those that leave the engine running: {', '.join(WITHOUT_RESTART)}",
    )
    parser.add_argument("--quick", action="store_true", help="the few rounds that CI runs")
    parser.add_argument("--engine", default="", help="folder of another dockerd and containerd")
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    options = parser.parse_args()
    options.blows = options.blows or (WITHOUT_RESTART if options.quick else tuple(BLOWS))
    return options


def chosen(options: argparse.Namespace) -> dict[str, Fault]:
    wanted = [name.strip() for name in options.only.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in FAULTS]
    unknown += [name for name in options.blows if name not in BLOWS]
    if unknown:
        sys.exit(f"no such fault or blow: {', '.join(unknown)}. There are: {', '.join((*FAULTS, *BLOWS))}")
    return {
        name: fault
        for name, fault in FAULTS.items()
        if (name in wanted if wanted else fault.quick if options.quick else fault.rounds)
    }


def run(name: str, fault: Fault, engine: OwnEngine, folder: Path, options: argparse.Namespace) -> Row:
    rounds = options.rounds or (fault.quick or 1 if options.quick else fault.rounds or fault.quick)
    share = folder / "faults" / name
    share.mkdir(parents=True)
    # Each fault has a chance of its own: alone it meets the same moments as among the others.
    chance = random.Random(f"{options.seed} {name}")
    lab = Lab(engine, share, chance, rounds, thorough=not options.quick, blows=options.blows)
    began = time.monotonic()
    networks_lost = engine.networks_lost
    try:
        engine.ensure()
        engine.empty()
        fault.run(lab)
    except Exception as error:
        lab.tally.wrong.append(f"round {lab.tally.rounds}: the harness met {type(error).__name__}: {error}")
        traceback.print_exc()
    if times := engine.networks_lost - networks_lost:
        lab.tally.notes.append(
            f"the engine could not read its own networks {times} times, and started without them"
        )
    return Row(name, fault.says, lab.tally, time.monotonic() - began)


def main() -> int:
    options = arguments()
    faults = chosen(options)
    if not programs_there():
        sys.exit("The faults need root, dockerd, unshare, ip, and busybox-static.")
    if not isolation.inside():
        return isolation.enter()
    rows = []
    with tempfile.TemporaryDirectory(prefix="devstack-faults-", ignore_cleanup_errors=True) as name:
        engine = OwnEngine(Path(name), options.engine)
        engine.start()
        engine.import_busybox()
        version = engine.client.api.version()["Version"]
        for fault in faults:
            rows.append(run(fault, faults[fault], engine, Path(name), options))
            verdict = "good" if rows[-1].tally.good else rows[-1].tally
            print(f"{fault}: {verdict}", file=sys.stderr, flush=True)
            if options.json:  # after each, so that a run that is broken off tells too
                options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")
        engine.close()
    print(f"Engine {version}, seed {options.seed}\n\n{table(rows)}")
    return 0 if all(row.tally.good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
