"""What functions of tasks.py print while a program has them run: it becomes events, and not lines of a
terminal."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from invoke.context import Context
from invoke.runners import Result

from invoke_devstack.events import Emit, Printed


class EventStream(io.TextIOBase):
    """Emits whole lines."""

    encoding = "utf-8"

    def __init__(self, stream: str, emit: Emit) -> None:
        self._stream = stream
        self._emit = emit
        self._rest = ""
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Takes any piece of text."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._emit(Printed(stream=self._stream, text=line))
        return len(text)

    def finish(self) -> None:
        """Emits a last line without a newline."""
        with self._lock:
            if self._rest:
                self._emit(Printed(stream=self._stream, text=self._rest))
            self._rest = ""


class _ByThread(io.TextIOBase):
    """A standard stream that threads may exchange for one of their own."""

    def __init__(self, usual: TextIO) -> None:
        self.usual = usual
        self.own: dict[int, EventStream] = {}

    def _now(self) -> Any:
        return self.own.get(threading.get_ident(), self.usual)

    def write(self, text: str) -> int:
        return int(self._now().write(text))

    def flush(self) -> None:
        self._now().flush()

    def fileno(self) -> int:
        return self.usual.fileno()

    def isatty(self) -> bool:
        return threading.get_ident() not in self.own and self.usual.isatty()


class PrintingContext(Context):
    """Invoke's context, whose commands print to these streams, and read nothing."""

    def __init__(self, context: Context, out: EventStream, err: EventStream) -> None:
        super().__init__(context.config)
        self._set(_streams={"out_stream": out, "err_stream": err, "in_stream": io.StringIO()})

    def run(self, command: str, **options: Any) -> Result:
        """Runs a shell command."""
        return super().run(command, **{**self._streams, **options})


@contextmanager
def printing(emit: Emit, context: Context) -> Iterator[PrintingContext]:
    """While entered, what this thread prints becomes events. The context's commands print there too."""
    out, err = EventStream("stdout", emit), EventStream("stderr", emit)
    thread = threading.get_ident()
    routed = [(_routed("stdout"), out), (_routed("stderr"), err)]
    for stream, own in routed:
        stream.own[thread] = own
    try:
        yield PrintingContext(context, out, err)
    finally:
        for stream, own in routed:
            stream.own.pop(thread)
            own.finish()


_LOCK = threading.Lock()


def _routed(name: str) -> _ByThread:
    """`sys.stdout` or `sys.stderr`, which from now on asks who writes."""
    with _LOCK:
        stream = getattr(sys, name)
        if not isinstance(stream, _ByThread):
            stream = _ByThread(stream)
            setattr(sys, name, stream)
        return stream
