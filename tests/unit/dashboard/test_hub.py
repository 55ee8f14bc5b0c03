"""What tabs are told: everything once, again after a break, and never without bound."""

from __future__ import annotations

import asyncio

import pytest

from invoke_devstack.dashboard import hub as module
from invoke_devstack.dashboard.hub import Hub


def numbers(hub: Hub, last: str) -> tuple[bool, list[int]]:
    async def ask() -> tuple[bool, list[int]]:
        tab = hub.join(last)
        told = await tab.wait(0.01)
        return tab.resumed, [item.number for item in told or ()]

    return asyncio.run(ask())


def test_a_tab_that_comes_back_gets_what_it_missed() -> None:
    hub = Hub()
    for _ in range(5):
        hub.tell("run", {})
    assert numbers(hub, f"{hub.boot}-3") == (True, [4, 5])
    assert numbers(hub, hub.last_id()) == (True, [])


@pytest.mark.parametrize("last", ["", "other-3", "x", "-", "boot-"])
def test_a_tab_of_another_server_starts_anew(last: str) -> None:
    hub = Hub()
    hub.tell("run", {})
    assert numbers(hub, last) == (False, [])


def test_what_is_kept_is_bounded_in_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT", 1000)
    hub = Hub()
    for _ in range(50):
        hub.tell("services", "x" * 100)
    assert numbers(hub, f"{hub.boot}-45") == (True, [46, 47, 48, 49, 50])
    assert numbers(hub, f"{hub.boot}-10") == (False, [])
    hub.tell("services", "x" * 5000)
    assert numbers(hub, f"{hub.boot}-50") == (False, [])


def test_a_tab_that_sleeps_is_ended_and_not_fed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BEHIND", 1000)

    async def sleep_on() -> object:
        hub = Hub()
        tab = hub.join("")
        for _ in range(50):
            hub.tell("services", "x" * 100)
        return await tab.wait(1)

    assert asyncio.run(sleep_on()) is None


def test_a_later_state_takes_the_place_of_an_earlier_one() -> None:
    async def watch() -> list[str]:
        hub = Hub()
        tab = hub.join("")
        for number in range(10):
            hub.tell_latest("logs", lambda number=number: {"last": number})  # type: ignore[misc]
        return [item.data for item in await tab.wait(1) or ()]

    assert asyncio.run(watch()) == ['{"last":9}']
