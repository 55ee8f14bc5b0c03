"""Calls of one server that change something come one after the other; those that look do not wait."""

from __future__ import annotations

import asyncio

from invoke_devstack.mcp.gate import Gate, Kind


def order_of(*kinds: Kind) -> list[str]:
    """What happens when calls of these kinds come while the first still runs."""
    seen: list[str] = []

    async def call(gate: Gate, kind: Kind, go_on: asyncio.Event) -> None:
        async with gate.passed(kind):
            seen.append(f"{kind} in")
            await go_on.wait()
            seen.append(f"{kind} out")

    async def all_of_them() -> None:
        gate, first = Gate(), asyncio.Event()
        at_once = asyncio.Event()
        at_once.set()
        tasks = [asyncio.create_task(call(gate, kinds[0], first))]
        tasks += [asyncio.create_task(call(gate, kind, at_once)) for kind in kinds[1:]]
        for _ in range(20):
            await asyncio.sleep(0)
        seen.append("first may go on")
        first.set()
        await asyncio.gather(*tasks)

    asyncio.run(all_of_them())
    return seen


def test_a_look_waits_for_no_change() -> None:
    assert order_of("changes", "looks")[:3] == ["changes in", "looks in", "looks out"]


def test_two_changes_come_one_after_the_other() -> None:
    found = order_of("changes", "changes")
    assert found == ["changes in", "first may go on", "changes out", "changes in", "changes out"]


def test_nothing_runs_beside_what_is_alone() -> None:
    found = order_of("alone", "looks", "changes")
    assert found[:3] == ["alone in", "first may go on", "alone out"]
    assert order_of("looks", "alone")[:2] == ["looks in", "first may go on"]


def test_a_call_that_is_cancelled_while_it_waits_leaves_the_gate_open() -> None:
    async def session() -> None:
        gate, entered = Gate(), []

        async def change() -> None:
            async with gate.passed("changes"):
                entered.append(1)

        async with gate.passed("changes"):
            waiting = asyncio.create_task(change())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        assert entered == []
        await asyncio.wait_for(change(), 30)
        assert entered == [1]

    asyncio.run(session())
