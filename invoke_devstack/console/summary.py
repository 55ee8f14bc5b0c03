"""The last words of `up` and `down` on a terminal: one line a service, columns below each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from invoke_devstack.console.amounts import duration
from invoke_devstack.console.style import Paint
from invoke_devstack.console.words import Words
from invoke_devstack.events import ServiceReady, ServiceStopped


def ready_lines(events: Sequence[ServiceReady], paint: Paint) -> Iterable[str]:
    """Mark, service, state, address to open, and the time it took or that it was up already."""
    states = max((len(event.state) for event in events), default=0)
    names = max((len(event.service) for event in events), default=0)
    addresses = max((len(_address(event)) for event in events), default=0)
    for event in events:
        time = duration(event.seconds) if event.changed else paint.dim("was up")
        address = _address(event)
        columns = (
            f"{paint.good_mark} {paint.service(event.service, names)}",
            event.state.ljust(states),
            paint.address(address) + " " * (addresses - len(address)),
            time,
        )
        note = f"  {paint.warn(event.note)}" if event.note else ""
        yield "  ".join(columns) + note


def stopped_lines(events: Sequence[ServiceStopped], words: Words, paint: Paint) -> Iterable[str]:
    """Mark, service, how it ended; below it, why it had to be killed and what to change."""
    for event in events:
        mark = paint.warn_mark if event.killed else paint.good_mark
        yield f"{mark} {words.name(event.service)}  {words.ending(event)}"
        if event.why:
            yield f"    {paint.dim(event.why)}"
        if event.advice:
            yield f"    {paint.bold('hint:')} {event.advice}"


def _address(event: ServiceReady) -> str:
    return "  ".join(event.addresses)
