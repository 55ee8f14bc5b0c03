"""The view of an attached `up`: the console's footer, told by what runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from invoke_devstack.console.event_views import Mark
from invoke_devstack.console.footer.overview import ServiceNow
from invoke_devstack.tasks.attached.pilot import WorkPilot
from invoke_devstack.tasks.journalling import JournallingConsole

if TYPE_CHECKING:
    from invoke_devstack.running.stack.services_now import ServiceState
    from invoke_devstack.tasks.work import Work


class FooterView:
    """See `running/attached/view.py`."""

    def __init__(self, work: Work) -> None:
        self.wish: Literal["", "detach", "stop"] = ""
        console = work.console
        if isinstance(console, JournallingConsole):  # each action of a key has a journal of its own
            console = console.shown_on
        self._pilot = WorkPilot(work, console, self._end_as)
        self._footer = console.stay(self._pilot)
        self._on_wish: Callable[[], None] = lambda: None
        if self._footer is not None:
            self._pilot.tell = self._footer.tell

    @property
    def is_possible(self) -> bool:
        """Whether there is a terminal for it."""
        return self._footer is not None

    def begin(self, project: str, on_wish: Callable[[], None]) -> None:
        """Shows it."""
        self._on_wish = on_wish
        if self._footer is not None:
            self._footer.begin(project)

    def show(self, services: Sequence[ServiceState]) -> None:
        """How the services are."""
        if self._footer is not None:
            self._footer.show(
                [
                    ServiceNow(item.service, item.state, Mark(item.mark), item.addresses, item.restarts)
                    for item in services
                ]
            )

    def end(self) -> None:
        """Gives the terminal back, and breaks off what a key began."""
        self._pilot.cancel()
        if self._footer is not None:
            self._footer.end()

    def _end_as(self, wish: Literal["detach", "stop"]) -> None:
        self.wish = wish
        self._on_wish()


def view_of(work: Work) -> FooterView | None:
    """None where nobody looks and types."""
    view = FooterView(work)
    return view if view.is_possible else None
