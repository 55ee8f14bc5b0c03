"""Output that cannot be written: who is told, and what is discarded."""

from __future__ import annotations

from collections.abc import Callable

from invoke_devstack.console.screen import Screen, Unwritable


class LostOutput:
    """`reader_gone` is called when nobody reads stdout any more, `unwritable` when stdout takes no more for
    another reason; once, from any thread. A stderr that is lost is no reason to do anything: nothing that
    acts may stop for want of a listener."""

    def __init__(self, reader_gone: Callable[[], None], unwritable: Callable[[OSError], None]) -> None:
        self._reader_gone = reader_gone
        self._unwritable = unwritable
        self.noted = False

    def note(self, lost: Unwritable, answers: Screen) -> None:
        """Handles what a screen said; `answers` is that of stdout."""
        if lost.screen is not answers or self.noted:
            return
        self.noted = True
        if isinstance(lost.error, BrokenPipeError):
            self._reader_gone()
        else:
            self._unwritable(lost.error)
