"""The output of a copy container: an engine may have it only after the container's end, or lose it."""

from __future__ import annotations

import pytest

from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.running import copy_container
from invoke_devstack.running.copy_container import CopyError
from invoke_devstack.running.session import Session
from tests.fakes import Behaviour, FakeEngine
from tests.unit.planning.building import stack

STACK = stack({"db": {"image": "image"}})


class Late(FakeEngine):
    """Its containers end at once; their output is there when it was asked for `asks` times."""

    def __init__(self, output: bytes, asks: int) -> None:
        super().__init__()
        self.add_image("image")
        self._said, self._asks = output, asks

    def _behaviour(self, item: ObservedContainer) -> Behaviour:
        self._asks -= 1
        return Behaviour(exit_code=0, logs=[] if self._asks > 0 else [("stdout", self._said)])


def finished(engine: FakeEngine) -> str:
    return copy_container.finish(Session(STACK, engine, lambda event: None), "db", {"data": "p_data"}, "mark")


def test_late_output_is_waited_for() -> None:
    engine = Late(b"result new\n", asks=6)
    assert finished(engine) == "new"
    assert not engine.containers


def test_what_was_written_before_the_answer_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_container, "_LATE", 0.1)
    with pytest.raises(CopyError, match="the engine lost the output"):
        finished(Late(b"cp: a remark\n", asks=0))


def test_a_copy_whose_size_is_not_known_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_container, "_LATE", 0.1)
    session = Session(STACK, Late(b"", asks=0), lambda event: None)
    with pytest.raises(CopyError, match="cannot copy the data of `db`") as caught:
        copy_container.copy(session, "db", {"/from": "p_data:ro", "/to": "q"})
    assert "Nothing was changed" in caught.value.hint
