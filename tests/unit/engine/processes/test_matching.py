"""The engine's filters, for process containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from invoke_devstack.engine.processes.matching import matches


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({}, True),
        ({"label": ["project=shop"]}, True),
        ({"label": ["project"]}, True),
        ({"label": ["project=shop", "service=web"]}, False),
        ({"label": ["project=other"]}, False),
        ({"name": ["^/shop-page-1$"]}, True),
        ({"name": ["page"]}, True),
        ({"name": ["web"]}, False),
        ({"id": ["abc"]}, True),
        ({"status": ["exited"]}, False),
        ({"type": ["container"], "event": ["die"]}, True),
        ({"network": ["shop_default"]}, False),
        ({"volume": ["data"]}, False),
    ],
)
def test_filters(filters: Mapping[str, Sequence[str]], passes: bool) -> None:
    assert matches(filters, "abcdef", "shop-page-1", {"project": "shop"}, "running") is passes
