"""Which service, and which of its containers, a word means."""

from __future__ import annotations

import pytest

from invoke_devstack.running.selection import hint_for, split_number
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


def test_a_container_that_the_files_do_not_ask_for_needs_another_scale() -> None:
    two = stack({"web": {"scale": 2}, "db": {}})
    assert [hint_for(two, text, "Start it.") for text in ("web", "web.2", "db.1")] == ["Start it."] * 3
    assert (
        hint_for(two, "web.9", "") == "The files ask for 2 containers of `web`. More: `invoke scale web=9`."
    )
    assert hint_for(two, "db.2", "") == "The files ask for 1 container of `db`. More: `invoke scale db=2`."
