"""Every task with an engine that lies: one of its real answers is changed, by a seed.

`python -m tests.functional.bad_engine.lying [TASK|all] [SEEDS]` prints what went wrong.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from tests.functional.bad_engine.hanging import Bench, all_tasks, may_change

MOST_MEMORY = 256 << 10  # kB
_AFTER = 4.0  # seconds that a task has after the lie, if it does not end by itself
_RAW = ("/stats", "/events", "/logs", "/attach", "/start", "/archive", "/wait", "/build")

Lie = Callable[[random.Random, bytes], bytes]
"""Makes a whole HTTP answer of the body of a real one."""


def _answer(body: bytes, *, status: str = "200 OK", length: int | None = None, head: bytes = b"") -> bytes:
    told = len(body) if length is None else length
    return (
        (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nApi-Version: 1.41\r\n"
            f"Content-Length: {told}\r\nConnection: close\r\n"
        ).encode()
        + head
        + b"\r\n"
        + body
    )


_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, 2**63, "", "x", "\x1b[2J", "9" * 5000),
    *([], {}, [None], [{}], {"Id": None}, ["x"], [[]], {"": ""}),
)
_STATUSES = ("302 Found", "204 No", "418 x", "abc", "999 y")
_TEXTS = (
    *(b"NaN", b"Infinity", b"1e999", b'"\\ud800"', b'{"Id":"a","Id":5}', b"9" * 10000),
    *(b"[" * 5000 + b"]" * 5000, b'{"a":' * 800 + b"1" + b"}" * 800),
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """(holder, key) of everything in it."""
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        holder = pending.pop()
        keys = holder.keys() if isinstance(holder, dict) else range(len(holder))
        for key in list(keys):
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                pending.append(holder[key])
    return found


def _at_a_place(chance: random.Random, body: bytes, change: Callable[[Any, Any], None]) -> bytes:
    try:
        value = json.loads(body)
    except ValueError:
        return _answer(b"[]")
    places = _places(value) if isinstance(value, dict | list) else []
    if places:
        change(*chance.choice(places))
    return _answer(json.dumps(value).encode())


def _another_value(chance: random.Random, body: bytes) -> bytes:
    def change(holder: Any, key: Any) -> None:
        holder[key] = chance.choice(_VALUES)

    return _at_a_place(chance, body, change)


def _missing(chance: random.Random, body: bytes) -> bytes:
    return _at_a_place(chance, body, lambda holder, key: holder.__delitem__(key))


def _raw_text(chance: random.Random, body: bytes) -> bytes:
    """Something that is no JSON, or that few write, in the place of a value."""

    def change(holder: Any, key: Any) -> None:
        holder[key] = "@@@"

    return _fitted(_at_a_place(chance, body, change).replace(b'"@@@"', chance.choice(_TEXTS)))


def _fitted(answer: bytes) -> bytes:
    return _answer(answer.partition(b"\r\n\r\n")[2])


LIES: tuple[Lie, ...] = (
    *[_another_value] * 6,
    *[_missing] * 4,
    *[_raw_text] * 2,
    lambda chance, body: _answer(body[: chance.randrange(len(body) + 1)]),
    lambda chance, body: _answer(json.dumps(chance.choice(_VALUES)).encode()),
    lambda chance, body: _answer(body, length=len(body) + 10),
    lambda chance, body: _answer(body, length=max(len(body) - 3, 0)),
    lambda chance, body: _answer(body, length=-5),
    lambda chance, body: _answer(
        b"<html><title>Bad Gateway</title>" + b"x" * 5_000_000, status="502 Bad Gateway"
    ),
    lambda chance, body: _answer(body, status=chance.choice(_STATUSES)),
    lambda chance, body: _answer(body, head=b"X: " + b"a" * 70_000 + b"\r\n"),
    lambda chance, body: _answer(body, head=b"X: a\r\n" * 300),
    lambda chance, body: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n",
    lambda chance, body: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\n[1,",
    lambda chance, body: b"\x00\xff\x15\x03\x01 garbage\r\n\r\n",
    lambda chance, body: _answer(bytes(chance.randrange(256) for _ in range(100))),
    lambda chance, body: _answer(b"[" + b"{}," * 12_000_000 + b"{}]"),
    lambda chance, body: b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 30_000_000,
)


class LyingProxy:
    """Passes everything on, but changes the answer to one request."""

    def __init__(self, path: Path, engine_url: str, number: int, lie: Lie, chance: random.Random) -> None:
        self.url = f"unix://{path}"
        self.lied_about = ""
        self.seen: list[str] = []
        """The request lines."""
        self.lied = threading.Event()
        self._target = urlsplit(engine_url).path
        self._number, self._lie, self._chance = number, lie, chance
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        path.unlink(missing_ok=True)
        self._listener.bind(str(path))
        self._listener.listen(256)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, http.client.HTTPException), client:
            received = b""
            while b"\r\n\r\n" not in received:
                block = client.recv(65536)
                if not block:
                    return
                received += block
            line = received.split(b"\r\n", 1)[0].decode("latin-1")
            with self._lock:
                self.seen.append(line)
                is_chosen = len(self.seen) == self._number
            path = line.split(" ")[1].partition("?")[0]
            if is_chosen and not path.endswith(_RAW):
                self.lied_about = line
                client.sendall(self._lie(self._chance, self._ask(received, client)))
                client.shutdown(socket.SHUT_WR)
                self.lied.set()
                return
            self._pass(_closing(received), client)

    def _ask(self, received: bytes, client: socket.socket) -> bytes:
        """The body of the engine's answer."""
        engine = self._connect(_closing(received))
        threading.Thread(target=_copy, args=(client, engine), daemon=True).start()
        response = http.client.HTTPResponse(engine)
        response.begin()
        return response.read()

    def _pass(self, received: bytes, client: socket.socket) -> None:
        engine = self._connect(received)
        threading.Thread(target=_copy, args=(client, engine), daemon=True).start()
        _copy(engine, client)

    def _connect(self, first: bytes) -> socket.socket:
        engine = socket.socket(socket.AF_UNIX)
        engine.connect(self._target)
        engine.sendall(first)
        return engine


def _closing(request: bytes) -> bytes:
    """One request for each connection, so that requests can be counted."""
    if b"\r\nUpgrade:" in request or b" HTTP/1.0\r\n" in request:
        return request
    return request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@dataclass(frozen=True)
class Told:
    """How a task ended that was lied to. `memory` is in kB."""

    code: int
    shown: str
    seconds: float
    memory: int
    about: str
    changed: bool
    """Whether the stack may be another one now."""

    def complaint(self) -> str:
        wrong = [
            self.code < 0 and f"exit code {self.code}",
            self.seconds > 60 and f"{self.seconds:.0f} s",
            self.memory > MOST_MEMORY and f"{self.memory >> 10} MB",
            "Traceback" in self.shown and "a traceback",
            "unexpected" in self.shown and "a fault of ours",
            len(self.shown) > 100_000 and "very much output",
        ]
        return ", ".join(str(item) for item in wrong if item)


_MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(f"{code} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
"""
"""Runs a command and writes its exit code and the most memory that it took, in kB. In a small process of
its own, because the kernel counts the size of the process that starts another as that of the other."""


def tell(bench: Bench, words: tuple[str, ...], seed: int, requests: int) -> Told:
    """Runs the task with one lie, which the seed chooses."""
    chance = random.Random(f"{seed} {' '.join(words)}")
    number, lie = chance.randrange(1, requests + 1), chance.choice(LIES)
    proxy = LyingProxy(bench.folder / "lie.sock", bench.engine_url, number, lie, chance)
    began = time.monotonic()
    limited = ("timeout", "--signal=INT", "--kill-after=25", "12", *bench.command(words))
    measured = bench.folder / "measured"
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", _MEASURED, str(measured), *limited],
            cwd=bench.folder,
            env=bench.on(proxy.url),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _end_after_lie(process, proxy)
        assert process.wait() == 0
        output.seek(0)
        shown = output.read().decode("utf-8", "replace")
    proxy.close()
    seconds = time.monotonic() - began
    code, memory = map(int, measured.read_text().split())
    return Told(code, shown, seconds, memory, proxy.lied_about, may_change(proxy.seen))


def _end_after_lie(process: subprocess.Popen[bytes], proxy: LyingProxy) -> None:
    """Interrupts a task that goes on although it was lied to long ago: it would go on for ever."""
    while process.poll() is None and not proxy.lied.wait(0.05):
        pass
    with suppress(subprocess.TimeoutExpired):
        process.wait(_AFTER)
    if process.poll() is None:
        for limiting in psutil.Process(process.pid).children():  # `timeout`, which passes signals on
            with suppress(psutil.NoSuchProcess):
                limiting.send_signal(signal.SIGINT)


def main() -> int:
    only = sys.argv[1] if len(sys.argv) > 1 else "all"
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        bench = Bench(Path(folder), engine, "redis:8", "devstack-lying")
        try:
            for words in all_tasks():
                if only in ("all", words[0]):
                    bad += _try(bench, words, range(first, first + seeds))
        finally:
            bench.remove()
    return 1 if bad else 0


def _try(bench: Bench, words: tuple[str, ...], seeds: range) -> int:
    bad = 0
    requests = len(bench.requests_of(words))
    for seed in seeds if requests else ():
        told = tell(bench, words, seed, requests)
        if complaint := told.complaint():
            bad += 1
            print(
                f"BAD {' '.join(words)} seed {seed}: {complaint} [{told.about}]\n{told.shown[-700:]}",
                flush=True,
            )
        if told.changed:
            bench.restore()
    print(f"{' '.join(words)}: {len(seeds)} lies, {bad} bad", flush=True)
    return bad


if __name__ == "__main__":
    sys.exit(main())
