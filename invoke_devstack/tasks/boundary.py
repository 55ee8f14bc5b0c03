"""Where errors become messages and exit codes. No traceback gets past it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from invoke.exceptions import Exit

from invoke_devstack.errors import (
    CommandExited,
    DevstackError,
    FileError,
    Interrupted,
    PlanShown,
    ServiceError,
)
from invoke_devstack.events import Emit, Failed
from invoke_devstack.local_files.failures import describes_a_file, file_error, unwritable

BUG_HINT = "This is a bug in invoke-devstack. Get the traceback with `--debug` and report it."
RENAME = "Rename the file or folder: here, names must be UTF-8 text."
_INTERRUPTED = 128 + signal.SIGINT


@contextmanager
def boundary(emit: Emit) -> Iterator[None]:
    """Turns any exception of the body into a `Failed` event and Invoke's `Exit`."""
    try:
        with _other_threads_reported(emit):
            yield
    except PlanShown:
        return
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
        emit(unforeseen(error))
        raise Exit(code=1) from error


@contextmanager
def _other_threads_reported(emit: Emit) -> Iterator[None]:
    """Reports an exception that ends another thread as one of the command itself. Python would print its
    traceback. A server has several commands at once: the newest reports it."""
    with _EMITS_LOCK:
        _EMITS.append(emit)
        threading.excepthook = _report
    try:
        yield
    finally:
        with _EMITS_LOCK:
            _EMITS.remove(emit)
            if not _EMITS:
                threading.excepthook = threading.__excepthook__


_EMITS: list[Emit] = []
_EMITS_LOCK = threading.Lock()


def _report(dead: threading.ExceptHookArgs) -> None:
    if isinstance(dead.exc_value, Exception) and not isinstance(dead.exc_value, Interrupted):
        with _EMITS_LOCK:
            emit = _EMITS[-1] if _EMITS else None
        if emit is not None:
            emit(unforeseen(dead.exc_value))


def failure(error: DevstackError) -> Failed:
    """The event for an expected error."""
    return Failed(
        error=error.message,
        reason=error.reason,
        hint=error.hint,
        position=str(error.position) if error.position else "",
        details=error.details + (_traceback(error) if wants_traceback() else ()),
        exit_code=error.exit_code,
        service=error.service if isinstance(error, ServiceError) else "",
    )


def unforeseen(error: Exception) -> Failed:
    """The event for an error that nothing caught: about a file of this machine, or a bug."""
    if isinstance(error, OSError) and describes_a_file(error):
        return failure(file_error(error))
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        return failure(FileError(f"a name is not UTF-8: {error.object!a}", hint=RENAME, reason="name"))
    return _bug(error)


def _bug(error: Exception) -> Failed:
    shown = _traceback(error) if wants_traceback() else ()
    return Failed(
        error=f"unexpected {type(error).__name__}: {error}", reason="bug", hint=BUG_HINT, details=shown
    )


def wants_traceback() -> bool:
    """Whether `--debug` was given before `--`. Invoke keeps that flag to itself."""
    words = sys.argv[: sys.argv.index("--")] if "--" in sys.argv else sys.argv
    return "--debug" in words or "INVOKE_DEBUG" in os.environ


def end_as_a_filter() -> None:
    """Ends the process by SIGPIPE, as `head` expects of its input; on Windows with code 1."""
    if not hasattr(signal, "SIGPIPE"):
        os._exit(1)
    if threading.current_thread() is not threading.main_thread():  # only there can a signal get its default
        os._exit(128 + signal.SIGPIPE)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPIPE})
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)


def end_unwritten(error: OSError, emit: Emit) -> None:
    """Ends a process whose only work is to write to stdout, which takes no more."""
    emit(failure(unwritable(error)))
    os._exit(1)


def _traceback(error: BaseException) -> tuple[str, ...]:
    return tuple("".join(traceback.format_exception(error)).splitlines())
