"""A pause that the kernel cannot carry out at once."""

from __future__ import annotations

from typing import Any

import pytest

from invoke_devstack.engine.containers import lifecycle
from invoke_devstack.engine.transport.failures import refusal
from invoke_devstack.errors import EngineError

FROZEN_NOT = "cannot pause container 1dc4: OCI runtime pause failed: unable to freeze"


class Refusing:
    """Refuses as often as there are messages; an Api as far as a pause needs one."""

    def __init__(self, *messages: str) -> None:
        self.messages = list(messages)
        self.paths: list[str] = []

    def post(self, path: str, *_: Any) -> None:
        self.paths.append(path)
        if self.messages:
            raise refusal(500, self.messages.pop(0))


def containers(api: Refusing, monkeypatch: pytest.MonkeyPatch) -> lifecycle.Containers:
    monkeypatch.setattr(lifecycle, "_FREEZE_AGAIN", 0.0)
    made = lifecycle.Containers()
    made._api = api  # type: ignore[assignment]
    return made


def test_what_could_not_be_frozen_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Refusing(FROZEN_NOT, FROZEN_NOT)
    containers(api, monkeypatch).pause("1dc4")
    assert api.paths == ["/containers/1dc4/pause"] * 3


def test_what_can_never_be_frozen_is_said_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Refusing(*[FROZEN_NOT] * 100)
    with pytest.raises(EngineError, match="changed too fast") as caught:
        containers(api, monkeypatch).pause("1dc4")
    assert caught.value.reason == "not-frozen"
    assert caught.value.details == (FROZEN_NOT,)
    assert len(api.paths) == 5


def test_another_refusal_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Refusing("container 1dc4 is already paused")
    with pytest.raises(EngineError, match="already paused"):
        containers(api, monkeypatch).pause("1dc4")
    assert len(api.paths) == 1
