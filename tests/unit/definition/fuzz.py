"""A long run of a coverage-guided fuzzer over `load`, for as long as one likes:

    pip install atheris
    python -m tests.unit.definition.fuzz -max_total_time=3600

It ends at the first input that is neither read nor refused with a position, and prints it.
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-untyped]  # installed by hand, for fuzzing only

with atheris.instrument_imports(include=["invoke_devstack.definition"]):
    from tests.unit.definition.test_limits import VALID, reads_or_says_where


def read(content: bytes) -> None:
    """One input: half of them as they are, half of them put into a file that is right."""
    if content[:1] and content[0] % 2:
        place = int.from_bytes(content[1:3], "big") % len(VALID)
        content = VALID[:place] + content[3:] + VALID[place:]
    reads_or_says_where(content)


if __name__ == "__main__":
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
