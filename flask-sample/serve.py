"""Runs the sample: one process that serves, reloads edited code, and stops at once on SIGTERM.

Flask's own reloader keeps a second interpreter as process 1, which doubles the time to the first answer and
cuts requests off when it is told to stop. Here the one process replaces itself (`exec`) when a module has
changed. It hands its listening socket on: a browser that asks in the middle of a reload waits a moment and is
served.
"""

from __future__ import annotations

import contextvars
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
stopping = threading.Event()


def ask_to_stop(signum: int, frame: FrameType | None) -> None:
    stopping.set()


# Process 1 gets no signal that it has no handler for, so these come before the imports that take time.
# Until the server runs, signals are held back: no thread but the main one ever takes them, and none is lost
# in the moment in which one program replaces the other.
signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
for stop_signal in STOP_SIGNALS:
    signal.signal(stop_signal, ask_to_stop)

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler  # noqa: E402

SOURCES = Path(__file__).parent / "app"
SOCKET_VARIABLE = "SAMPLE_LISTENING_SOCKET"
LOOK_FOR_CHANGES_EVERY = 0.05  # seconds
ANSWER_WITHIN = 3.0  # seconds that a request has for its answer when the server ends
MOMENT = 0.2  # seconds that a connection has then to send its request, and to take the answer

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("sample")

WsgiApp = Callable[..., Iterable[bytes]]
Fingerprint = dict[str, tuple[int, int, int]]


class Handler(WSGIRequestHandler):
    """Writes one short line for each request, and none for a probe that went well."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if self.path.startswith("/healthz") and str(code) == "200":
            return
        words = (self.command, self.path, getattr(code, "value", code))
        in_request(getattr(self, "environ", {}), log.info, "%s %s %s", *words)


class Busy:
    """A number of things that are under way, which one can wait for."""

    def __init__(self) -> None:
        self._number = 0
        self._changed = threading.Condition()

    def begin(self) -> None:
        with self._changed:
            self._number += 1

    def end(self) -> None:
        with self._changed:
            self._number -= 1
            self._changed.notify_all()

    def wait_for_none(self, timeout: float) -> None:
        """Waits until nothing is under way, at most `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._number == 0, timeout)


class Gate:
    """Passes requests on to the application; shows the traceback of one that failed."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self.requests = Busy()

    def __call__(self, environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
        self.requests.begin()
        try:
            return list(self._app(environ, start_response))
        except Exception:
            return answer_with_traceback(environ, start_response)
        finally:
            self.requests.end()


class Server(ThreadedWSGIServer):
    """Serves each connection in a thread of its own, and can finish what it has begun."""

    def __init__(self, listener: socket.socket, gate: Gate) -> None:
        self.gate = gate
        self.connections = Busy()
        super().__init__("0.0.0.0", listener.getsockname()[1], gate, Handler, fd=listener.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.begin()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.end()

    def finish(self) -> None:
        """Takes no new connection, and lets those that are open end.

        A request is answered. A connection without one (browsers open some in advance) gets a moment.
        """
        self.shutdown()
        self.connections.wait_for_none(MOMENT)
        self.gate.requests.wait_for_none(ANSWER_WITHIN)
        self.connections.wait_for_none(MOMENT)


def in_request(environ: Mapping[str, object], tell: Callable[..., object], *words: object) -> None:
    """Logs as a part of the request, where it is traced: its span ended before its answer was sent."""
    context = environ.get("sample.context")
    (context.run if isinstance(context, contextvars.Context) else contextvars.Context().run)(tell, *words)


def send_what_waits() -> None:
    """Sends the spans that wait for their batch: neither `exec` nor `_exit` would."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return
    from opentelemetry.trace import get_tracer_provider

    flush = threading.Thread(target=get_tracer_provider().force_flush, daemon=True)  # type: ignore[attr-defined]
    flush.start()
    flush.join(ANSWER_WITHIN)


def answer_with_traceback(
    environ: Mapping[str, object], start_response: Callable[..., object]
) -> Iterable[bytes]:
    """Answers with the exception that is being handled, and writes it to the log."""
    text = traceback.format_exc()
    in_request(environ, log.error, text)
    headers = [("Content-Type", "text/plain; charset=utf-8")]
    start_response("500 Internal Server Error", headers, sys.exc_info())
    return [b"The sample stumbled. Mend the code and save: it reloads by itself.\n\n", text.encode()]


def load_app() -> WsgiApp:
    """The application; one that shows the traceback where its code cannot be imported (a slip in an edit)."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        # The Redis client imports OpenTelemetry merely because it is installed, which takes long.
        sys.modules["opentelemetry"] = None  # type: ignore[assignment]
    try:
        from app import create_app

        return create_app()
    except Exception as exception:
        slip = exception
        log.exception("The application cannot be loaded")

        def broken(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
            raise slip

        return broken


def fingerprint() -> Fingerprint:
    """What tells one state of the code from another.

    The time of the last change of status is part of it: a copied file may carry the old time of its contents.
    """
    found: Fingerprint = {}
    for path in SOURCES.rglob("*.py"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found[str(path)] = (status.st_mtime_ns, status.st_ctime_ns, status.st_size)
    return found


def wait_for_change(before: Fingerprint) -> bool:
    """Returns True once the code has changed and then rested for a moment, False when it is time to stop."""
    seen = before
    while not stopping.wait(LOOK_FOR_CHANGES_EVERY):
        now = fingerprint()
        if now == seen != before:
            return True
        seen = now
    return False


def open_socket(port: int) -> socket.socket:
    """The listening socket: the one that this process had before it started again, else a new one."""
    inherited = os.environ.pop(SOCKET_VARIABLE, None)
    if inherited:
        return socket.socket(fileno=int(inherited))
    return socket.create_server(("", port), backlog=128)


def start_again(listener: socket.socket) -> None:
    """Replaces this process by a new one that goes on with the same listening socket."""
    listener.set_inheritable(True)
    os.environ[SOCKET_VARIABLE] = str(listener.fileno())
    os.execv(sys.executable, sys.orig_argv)


def main() -> None:
    reload = os.environ.get("FLASK_DEBUG") == "1"
    code = fingerprint()
    gate = Gate(load_app())
    listener = open_socket(int(os.environ.get("PORT", "5000")))
    server = Server(listener, gate)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    log.info("Serving on port %d%s", server.port, ", reloading when the code changes" if reload else "")
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    changed = wait_for_change(code) if reload else not stopping.wait()
    server.finish()
    send_what_waits()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    if changed and not stopping.is_set():
        log.info("The code has changed: starting again")
        start_again(listener)
    log.info("Stopped")
    # An ordinary exit would wait for threads that still ask a database which does not answer.
    os._exit(0)


if __name__ == "__main__":
    main()
