"""`invoke logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.tasks.declare import task
from invoke_devstack.tasks.flags import count

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work


@task(
    "logs",
    json="events",
    prints=True,
    shorts={"follow": "f", "tail": "n", "timestamps": "t"},
    flags={
        "follow": "Keep printing new lines until Ctrl-C.",
        "tail": "Only the last N lines of each service.",
        "timestamps": "Start each line with its time.",
        "since": "Only lines since then: `10m`, `2h`, or a time such as 2026-01-31T12:00:00Z.",
        "until": "Only lines until then; same format as --since.",
        "grep": "Only lines that match this regular expression.",
        "no_log_prefix": "Do not print the service's name before each line.",
        "index": "Only the container with this number of each service.",
    },
)
def logs(
    work: Work,
    service: tuple[str, ...] = (),
    follow: bool = False,
    tail: str = "",
    timestamps: bool = False,
    since: str = "",
    until: str = "",
    grep: str = "",
    no_log_prefix: bool = False,
    index: str = "",
) -> None:
    """Print logs of all services, merged by time."""
    from invoke_devstack.running.logs.show import show
    from invoke_devstack.running.options import LogOptions

    options = LogOptions(
        services=work.services(service),
        follow=follow,
        tail=count("tail", tail, word="all"),
        timestamps=timestamps,
        since=since,
        until=until,
        grep=grep,
        prefixes=not no_log_prefix,
        number=count("index", index) or 0,
    )
    with work.session() as session:
        show(session, options)
