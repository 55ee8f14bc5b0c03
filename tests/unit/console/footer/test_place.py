"""The footer's place on a terminal in memory: what is left on it, and in its scroll-back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from invoke_devstack.console.footer.place import Place, ScreenAbove
from invoke_devstack.console.screen import Screen
from tests.unit.console.conftest import Stream


def places() -> tuple[Stream, Place]:
    stream, lock = Stream(terminal=True), threading.RLock()

    @contextmanager
    def guard() -> Iterator[None]:
        with lock:
            yield

    return stream, Place(Screen.of(stream, {"TERM": "xterm"}), lambda width, height: ["one", "two"], guard)


def test_each_write_erases_the_lines_and_draws_them_below() -> None:
    stream, place = places()
    place.show()
    place.write(b"a log line\n")
    place.hide()
    frames = stream.written.split("\x1b[?2026h")[1:]
    assert frames[0] == "\x1b[?7lone\r\ntwo\x1b[?7h\x1b[1A\r\x1b[?2026l"
    assert "".join(frames[1:]).replace("\x1b[?2026l", "").startswith("\r\x1b[Ja log line\n")


def test_what_is_hidden_leaves_only_what_was_printed() -> None:
    stream, place = places()
    place.show()
    screen = ScreenAbove.on(Screen.of(stream, {"TERM": "xterm"}), place)
    for number in range(1000):
        screen.write_line(f"line {number}")
    place.hide()
    lines = [text for text in stream.written.split("\n") if "line " in text]
    assert [line.rsplit("line ", 1)[1].split("\x1b")[0] for line in lines] == [str(n) for n in range(1000)]
    assert stream.written.endswith("\x1b[?25h")
    assert stream.written.count("one\r\ntwo") < 500  # many lines go out together


def test_a_line_without_an_end_gets_one() -> None:
    stream, place = places()
    place.show()
    place.write(b"half")
    place.hide()
    assert "half\n" in stream.written
