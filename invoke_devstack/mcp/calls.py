"""One call of a tool: it has tasks done one after the other, and can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable

from invoke_devstack.acting.host import Cancel, ConfirmationError, Host, Wish
from invoke_devstack.mcp.hearing import Heard, HearingConsole
from invoke_devstack.mcp.log_lines import LogLines
from invoke_devstack.running.journal import new_run


class Call:
    """`host` does the tasks. `on_news` gets a few words whenever something happens, in any thread."""

    def __init__(self, host: Host, on_news: Callable[[str], None]) -> None:
        self.host = host
        self._on_news = on_news
        self._lock = threading.Lock()
        self._cancel: Cancel | None = None
        self._is_cancelled = False

    def do(self, wish: Wish, lines: LogLines | None = None) -> Heard:
        """Has a task done, and returns what it said. Its log lines go to `lines`."""
        heard = Heard(self._on_news)
        console = HearingConsole(self.host.secrets, heard, lines)
        try:
            self.host.run(wish, console, self._set_cancel, new_run())
        except ConfirmationError as error:
            heard.failed = {"error": error.message, "reason": error.reason, "hint": error.hint}
        return heard

    def cancel(self) -> None:
        """What runs ends as after Ctrl-C, and what comes next does not begin."""
        with self._lock:
            self._is_cancelled = True
            cancel = self._cancel
        if cancel is not None:
            cancel()

    def _set_cancel(self, cancel: Cancel) -> None:
        with self._lock:
            self._cancel = cancel
            if not self._is_cancelled:
                return
        cancel()
