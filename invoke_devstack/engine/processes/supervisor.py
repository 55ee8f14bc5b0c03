"""supervisord, one for each project: it keeps the processes when the command has ended."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError
from xmlrpc.client import Error, Fault

from invoke_devstack.engine.processes import folders, recorder
from invoke_devstack.errors import EngineError
from invoke_devstack.local_files.replacing import writing

if TYPE_CHECKING:
    from xmlrpc.client import ServerProxy

_START = 15.0  # seconds
_BAD_NAME, _NOT_RUNNING, _ALREADY_ADDED, _STILL_RUNNING = 10, 70, 90, 91  # supervisord's faults
_BROKEN = (OSError, HTTPException, Error, ExpatError)
_CONFIGURATION = """\
[unix_http_server]
file={folder}/socket
chmod=0600
[supervisord]
logfile={folder}/supervisord.log
logfile_maxbytes=1MB
logfile_backups=0
pidfile={folder}/supervisord.pid
directory=/
umask={umask:03o}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[include]
files={folder}/programs/*.conf
"""
# A recorder follows the restart policy, and the grace period, itself. It is only started again when it was
# killed, and what it exits with is never unexpected.
_PROGRAM = """\
[program:{id}]
command={python} -I -S {recorder} {process}
autostart=false
autorestart={restart}
exitcodes={codes}
startsecs=0
stopwaitsecs=1000000
stdout_logfile=NONE
stderr_logfile={process}/recorder.log
stderr_logfile_maxbytes=1MB
stderr_logfile_backups=0
"""


class AwayError(EngineError):
    """There is no supervisor, or it has just ended."""


class Supervisor:
    """The supervisor of the project whose folder this is. Raises EngineError when it does not answer. One
    command at a time may call `start`, `clear` and `end`: see `locking`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self, process: Path, *, keeps: bool) -> None:
        """Runs the recorder of the process in that folder; if it `keeps` it, again when it was killed. The
        recorder waits for the environment."""
        programs = self._folder / "programs"
        folders.make_private(programs)
        text = _PROGRAM.format(
            id=process.name,
            python=_word(sys.executable),
            recorder=_word(recorder.__file__),
            process=process,
            restart="unexpected" if keeps else "false",
            codes=",".join(map(str, range(256))),
        )
        program = programs / f"{process.name}.conf"
        with writing(program):
            program.write_text(text, "utf-8")
        with self._calls() as calls:
            calls.reloadConfig()
            _call(lambda: calls.addProcessGroup(process.name), _ALREADY_ADDED)
            calls.startProcess(process.name, False)

    def runs(self, name: str) -> bool:
        """Whether it runs the recorder of a process."""
        with suppress(AwayError, EngineError), self._calls(start=False) as calls:
            return bool(calls.getProcessInfo(name)["statename"] in ("STARTING", "RUNNING"))
        return False

    def stop(self, name: str) -> bool:
        """Asks the recorder of a process to stop, and runs it no more. False if it does not run it."""
        with suppress(AwayError), self._calls(start=False) as calls:
            return _call(lambda: calls.stopProcess(name, False), _NOT_RUNNING, _BAD_NAME) == 0
        return False

    def clear(self, name: str) -> None:
        """Forgets a process. Stops it, if it was about to start it again."""
        (self._folder / "programs" / f"{name}.conf").unlink(missing_ok=True)
        with suppress(AwayError), self._calls(start=False) as calls:
            until = time.monotonic() + _START
            while _call(lambda: calls.removeProcessGroup(name), _BAD_NAME, _STILL_RUNNING) == _STILL_RUNNING:
                _call(lambda: calls.stopProcess(name, False), _NOT_RUNNING, _BAD_NAME)
                if time.monotonic() > until:
                    raise EngineError("a process does not end", hint=self._log_hint())
                time.sleep(0.01)

    def end(self) -> None:
        """It keeps no process any more."""
        with suppress(AwayError), self._calls(start=False) as calls:
            calls.shutdown()
            self._await_end()

    def _await_end(self) -> None:
        until = time.monotonic() + _START
        while (self._folder / "supervisord.pid").exists() and time.monotonic() < until:
            time.sleep(0.01)

    @contextmanager
    def _calls(self, *, start: bool = True) -> Iterator[Any]:
        """Its methods (https://supervisord.org/api.html). Raises AwayError if it does not run and shall not
        be started, or ends meanwhile."""
        server = self._connect()
        if server is None and start:
            server = self._start()
        if server is None:
            raise AwayError("the supervisor of the processes does not answer", hint=self._log_hint())
        try:
            yield server.supervisor
        except Fault as fault:
            raise EngineError(
                f"the supervisor of the processes refused: {fault.faultString}", hint=self._log_hint()
            ) from fault
        except _BROKEN as error:
            raise AwayError("the supervisor of the processes has ended", hint=self._log_hint()) from error

    def _log_hint(self) -> str:
        return f"Its log: {self._folder / 'supervisord.log'}"

    def _connect(self) -> ServerProxy | None:
        """None if no supervisor listens there."""
        from xmlrpc.client import ServerProxy

        from supervisor.xmlrpc import SupervisorTransport

        transport = SupervisorTransport("", "", f"unix://{self._folder}/socket")
        server = ServerProxy("http://127.0.0.1", transport=transport)
        try:
            state: Any = server.supervisor.getState()
            ending = state["statename"] == "SHUTDOWN"
        except _BROKEN:
            return None
        if ending:
            self._await_end()
        return None if ending else server

    def _start(self) -> ServerProxy | None:
        folders.make_private(self._folder / "programs")
        configuration = self._folder / "supervisord.conf"
        with writing(configuration):
            configuration.write_text(_CONFIGURATION.format(folder=self._folder, umask=_umask()), "utf-8")
        words = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]
        started = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            env=_own_environment(),
            check=False,
        )
        if started.returncode:
            lines = (started.stderr or started.stdout).strip().splitlines()
            why = lines[0] if lines else f"exit code {started.returncode}"
            raise EngineError(f"the supervisor of the processes did not start: {why}")
        until = time.monotonic() + _START
        while (server := self._connect()) is None and time.monotonic() < until:
            time.sleep(0.01)
        return server


def _call(call: Any, *expected: int) -> int:
    """0, or the number of an expected fault."""
    try:
        call()
    except Fault as fault:
        if fault.faultCode not in expected:
            raise
        return int(fault.faultCode)
    return 0


def _own_environment() -> dict[str, str]:
    """Of the supervisor itself, which imports what Python warns about."""
    return {**os.environ, "PYTHONWARNINGS": "ignore"}


def _umask() -> int:
    """That of this process, which can only be asked for by changing it, for all threads, where there is no
    /proc."""
    with suppress(OSError):
        found = re.search(r"^Umask:\s*([0-7]+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
        return int(found[1], 8) if found else 0o022
    return 0o022


def _word(text: str) -> str:
    """One word of a command line, which supervisord splits as a shell does. It expands `%(NAME)s` in values,
    and takes a `;` or `#` after a space for a comment."""
    return re.sub(r"(?<=\s)(?=[;#])", "''", shlex.quote(text)).replace("%", "%%")
