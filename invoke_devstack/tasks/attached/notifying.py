"""Notifications for what fails while nobody looks at the terminal, where `devstack.notify` asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.events import Event, Notice, WatchFailed

if TYPE_CHECKING:
    from invoke_devstack.tasks.work import Work

_OFF = ("", "0", "no", "false", "off")
_AUTO = ("auto", "yes", "true", "on", "1", "desktop")
_TERMINAL = "terminal"


@contextmanager
def notifying(work: Work) -> Iterator[None]:
    """While entered, a change that the watch could not apply is shown as a notification, if the setting says
    so. Raises UsageError for an unknown value of it."""
    wanted = work.settings.notify.lower()
    if wanted in _OFF:
        yield
        return
    if wanted not in (*_AUTO, _TERMINAL):
        raise UsageError(
            f"invalid setting `devstack.notify`: `{work.settings.notify}`",
            hint="Use `auto`, `terminal` or `off`.",
        )
    from invoke_devstack.console.notification import Notifications
    from invoke_devstack.console.screen import Screen, standard

    shown = Notifications(Screen.of(standard("stderr")), by_program=wanted != _TERMINAL)
    if not shown.is_possible:
        text = "no notifications: no `notify-send` is installed, and the terminal shows none"
        work.tell(Notice(text=text, level="warning"))

    def on_event(event: Event) -> None:
        if isinstance(event, WatchFailed):
            about = event.service or "the watch"
            shown.show(f"{work.project}: {about}", work.console.secrets.hide(event.error))

    work.listeners.append(on_event)
    try:
        yield
    finally:
        work.listeners.remove(on_event)
