"""This repository's own stack, and its development tasks."""

import sys

from invoke.context import Context
from invoke.tasks import task

from invoke_devstack import stack

namespace = stack()


@task(
    help={
        "only": "Sections of stack, watch, logs, scale and commands, with commas; default: all.",
        "rounds": "Counted rounds of each row.",
    }
)
def bench(c: Context, only: str = "", rounds: int = 7) -> None:
    """Measure side by side with Docker Compose; writes benchmarks/README.md."""
    chosen = f" --only {only}" if only else ""
    c.run(f"{sys.executable} -m benchmarks --rounds {rounds}{chosen}", pty=False)


namespace.add_task(bench)
