"""Keys that leave a command running."""

from __future__ import annotations

import pytest

from invoke_devstack.errors import UsageError
from invoke_devstack.running.inside.terminal import Detached, DetachKeys, detach_keys


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("", b"\x10\x11"),
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("ctrl-x,d", b"\x18d"),
        ("ctrl-@", b"\x00"),
        ("q", b"q"),
    ],
)
def test_keys_are_written_as_docker_writes_them(text: str, sent: bytes) -> None:
    assert detach_keys(text) == sent


@pytest.mark.parametrize("text", ["ctrl-", "ctrl-pp", "ctrl-p,", "alt-x", "é"])
def test_keys_that_there_are_not_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid key"):
        detach_keys(text)


def test_the_beginning_of_the_keys_is_passed_on_once_something_else_follows() -> None:
    keys = DetachKeys(b"\x18dd")
    assert [keys.feed(part) for part in (b"a\x18", b"d", b"x", b"\x18")] == [b"a", b"", b"\x18dx", b""]
    with pytest.raises(Detached):
        keys.feed(b"dd")
