"""What the keys of an attached `up` do. They have tasks done as the dashboard has, by `WorkHost`: with the
same planner, executor, lock and journal as on the command line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from invoke_devstack.acting.host import Cancel, Wish
from invoke_devstack.console.amounts import duration
from invoke_devstack.running.journal import new_run

if TYPE_CHECKING:
    from invoke_devstack.console import Console
    from invoke_devstack.tasks.work import Work

_TEXT_BROWSERS = ("www-browser", "lynx", "links", "elinks", "w3m")


class WorkPilot:
    """One action runs at a time: each changes the project, and the lock admits one."""

    def __init__(
        self, work: Work, console: Console, on_wish: Callable[[Literal["detach", "stop"]], None]
    ) -> None:
        """`console` shows what the actions do."""
        self.task_prefix = work.task_prefix
        self._work = work
        self._console = console
        self._on_wish = on_wish
        self._lock = threading.Lock()
        self._task = ""
        self._began = 0.0
        self._cancel: Cancel | None = None
        self.tell: Callable[[str], None] = print

    def act(self, task: str, service: str) -> str:
        """Starts it, in a thread."""
        with self._lock:
            if self._task:
                return f"Wait: {self._busy()}."
            self._task, self._began, self._cancel = f"{task} {service}", time.monotonic(), None
        wish = Wish(task, (service,))
        threading.Thread(target=self._run, args=(wish,), name=f"key {task}", daemon=True).start()
        return f"{task} {service} …"

    def open(self, service: str, address: str) -> str:
        """In a browser with a window; another would take the terminal."""
        import webbrowser

        try:
            browser = webbrowser.get()
        except webbrowser.Error:
            return f"No browser found. The page of {service}: {address}"
        if getattr(browser, "basename", "") in _TEXT_BROWSERS:
            return f"No browser with a window found. The page of {service}: {address}"
        threading.Thread(target=browser.open, args=(address,), name="browser", daemon=True).start()
        return f"Opening {address}"

    def detach(self) -> str:
        """Not while an action runs: it would be cut off."""
        if self._task:
            return f"Wait, then `d` again: {self._busy()}. `q` breaks it off and stops the services."
        self._on_wish("detach")
        return "Detaching …"

    def stop(self) -> str:
        """Breaks off what runs."""
        self.cancel()
        self._on_wish("stop")
        return "Stopping …"

    def cancel(self) -> None:
        """Breaks off the action that runs, as Ctrl-C does."""
        if self._cancel is not None:
            self._cancel()

    def _busy(self) -> str:
        return f"`{self._task}` has been running for {duration(time.monotonic() - self._began)}"

    def _run(self, wish: Wish) -> None:
        from invoke_devstack.tasks.acting.host import WorkHost

        code = 1
        try:
            host = WorkHost(self._work, "terminal")
            code = host.run(wish, self._console, self._set_cancel, new_run())
        finally:
            took, done = duration(time.monotonic() - self._began), self._task
            self._task, self._cancel = "", None
            self.tell(f"`{done}` done in {took}" if code == 0 else f"`{done}` failed; see above")

    def _set_cancel(self, cancel: Cancel) -> None:
        self._cancel = cancel
