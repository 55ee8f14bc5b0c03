"""`python -m invoke_devstack makefile`: the path of the Make rules, for `include $(shell ...)`."""

from __future__ import annotations

import sys
from pathlib import Path

USAGE = "usage: python -m invoke_devstack makefile"


def main(words: list[str]) -> int:
    """Answers on stdout; 2 for anything but `makefile`."""
    if words != ["makefile"]:
        sys.stderr.write(f"{USAGE}\n")
        return 2
    sys.stdout.write(f"{Path(__file__).parent / 'tasks' / 'devstack.mk'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
