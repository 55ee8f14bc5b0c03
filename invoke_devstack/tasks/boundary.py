"""The one place where an error becomes what a person sees and an exit code. No traceback passes it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from invoke.exceptions import Exit

from invoke_devstack.errors import CommandExited, DevstackError, Interrupted
from invoke_devstack.events import Emit, Failed

BUG_HINT = "This is a fault of invoke-devstack. Run it again with `--debug` for the traceback, and report it."
_INTERRUPTED = 128 + signal.SIGINT


@contextmanager
def boundary(emit: Emit) -> Iterator[None]:
    """Turns whatever the body raises into a shown `Failed` event and Invoke's `Exit`."""
    try:
        with _told_of_other_threads(emit):
            yield
    except Exit:
        raise
    except (CommandExited, Interrupted) as error:
        raise Exit(code=error.exit_code) from error
    except DevstackError as error:
        emit(failure(error))
        raise Exit(code=error.exit_code) from error
    except KeyboardInterrupt as error:
        raise Exit(code=_INTERRUPTED) from error
    except Exception as error:
        emit(bug(error))
        raise Exit(code=1) from error


@contextmanager
def _told_of_other_threads(emit: Emit) -> Iterator[None]:
    """A thread that dies of a fault of ours is told of as the command itself would be; Python would print
    its traceback."""

    def tell(dead: threading.ExceptHookArgs) -> None:
        if isinstance(dead.exc_value, Exception):
            emit(bug(dead.exc_value))

    before, threading.excepthook = threading.excepthook, tell
    try:
        yield
    finally:
        threading.excepthook = before


def failure(error: DevstackError) -> Failed:
    """The event that tells of an error."""
    return Failed(
        error=error.message,
        hint=error.hint,
        position=str(error.position) if error.position else "",
        details=error.details + (_traceback(error) if wants_traceback() else ()),
        exit_code=error.exit_code,
    )


def bug(error: Exception) -> Failed:
    """The event that tells of an error that nobody foresaw."""
    shown = _traceback(error) if wants_traceback() else ()
    return Failed(error=f"unexpected {type(error).__name__}: {error}", hint=BUG_HINT, details=shown)


def wants_traceback() -> bool:
    """Whether `--debug` stands among the words before `--`. Invoke takes that flag for itself and tells
    no task of it."""
    words = sys.argv[: sys.argv.index("--")] if "--" in sys.argv else sys.argv
    return "--debug" in words or "INVOKE_DEBUG" in os.environ


def end_as_a_filter_does() -> None:
    """Ends the process by SIGPIPE, as `head` expects of what it reads from; elsewhere with code 1."""
    if not hasattr(signal, "SIGPIPE"):
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPIPE})
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)


def _traceback(error: BaseException) -> tuple[str, ...]:
    return tuple("".join(traceback.format_exception(error)).splitlines())
