"""What a client is told while its call runs."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from invoke_devstack.mcp.serving import Context, _Progress

PATIENCE = 60


def test_a_cancelled_call_tells_nothing_more_while_it_ends() -> None:
    told: list[str] = []

    async def report(progress: float, total: float | None, message: str) -> None:
        told.append(message)

    async def call() -> None:
        session = SimpleNamespace(report_progress=report)
        ctx = SimpleNamespace(meta={"progress_token": 1}, session=session)
        async with _Progress(cast("Context", cast("Any", ctx))) as progress:
            progress.tell("create web")
            async with asyncio.timeout(PATIENCE):
                while not told:
                    await asyncio.sleep(0.01)
            progress.end()
            progress.tell("remove web")
            await asyncio.sleep(1.5)  # longer than the time between two reports

    asyncio.run(call())
    assert told == ["create web"]
