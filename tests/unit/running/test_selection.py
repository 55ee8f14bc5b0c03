"""Which service, and which of its containers, a word means."""

from __future__ import annotations

import pytest

from invoke_devstack.running.selection import split_number
from tests.unit.planning.building import stack

NAMES = stack({"web": {}, "api.2": {}, "shop.api": {}})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("web", ("web", 0)),
        ("web.2", ("web", 2)),
        ("shop.api", ("shop.api", 0)),
        ("shop.api.3", ("shop.api", 3)),
        ("api.2", ("api.2", 0)),
        ("api.2.1", ("api.2", 1)),
        ("web.x", ("web.x", 0)),
    ],
)
def test_a_number_after_a_dot_is_a_container_unless_it_is_part_of_the_name(
    text: str, meant: tuple[str, int]
) -> None:
    assert split_number(NAMES, text) == meant
