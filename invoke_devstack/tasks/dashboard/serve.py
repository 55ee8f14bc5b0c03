"""Serves the dashboard for a task, and says what is missing where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.events import Event, Notice

if TYPE_CHECKING:
    from invoke_devstack.dashboard.serving import Dashboard
    from invoke_devstack.tasks.work import Work

INSTALL = 'pip install "invoke-devstack[dashboard]"'


def dashboard_of(work: Work, *, port: int | None = None, read_only: bool = False) -> Dashboard:
    """The dashboard of the stack, not started yet. Raises UsageError if it is not installed."""
    try:
        import starlette
        import uvicorn

        if find_spec("opentelemetry.proto") is None:
            raise ImportError("opentelemetry.proto")
    except ImportError:
        raise UsageError("the dashboard is not installed", hint=f"Install it: `{INSTALL}`") from None
    from invoke_devstack.dashboard.serving import Dashboard
    from invoke_devstack.tasks.acting.host import WorkHost

    del starlette, uvicorn
    host = WorkHost(work, "dashboard")
    return Dashboard(host, port=port, read_only=read_only, on_stop=host.give_up)


@contextmanager
def beside(work: Work, *, wanted: bool, also: bool = False) -> Iterator[None]:
    """While entered, serves the dashboard beside an `up` that stays, if a flag (`wanted`) or the setting says
    so, or traces are on (`also`). The summary names its address. What a setting wants and cannot have is only
    a warning."""
    if not (wanted or also or work.settings.dashboard):
        yield
        return
    try:
        served = dashboard_of(work)
    except UsageError as error:
        if wanted:
            raise
        work.tell(Notice(text=f"{error.message}: {error.hint}", level="warning"))
        yield
        return
    served.start()

    def name_address(event: Event) -> None:
        if event.type == "up.finished":
            work.listeners.remove(name_address)
            work.answer(f"dashboard: {served.link}", with_secrets=True)

    work.listeners.append(name_address)
    try:
        yield
    finally:
        served.stop()
