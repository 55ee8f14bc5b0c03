"""The plan that brings a stack up."""

from __future__ import annotations

from tests.unit.planning.building import engine_with, running, stack, up


def test_a_first_up_makes_all_at_once_and_starts_each_after_what_it_waits_for() -> None:
    definition = stack(
        {
            "db": {"volumes": [{"type": "volume", "source": "data", "target": "/data"}]},
            "web": {"depends_on": {"db": {"condition": "service_healthy"}}},
        },
        volumes={"data": {"name": "p_data"}},
    )
    print("\n".join(up(definition, engine_with(definition))))
    assert up(definition, engine_with(definition)) == (
        "create network p_default  (no network yet)",
    )


def test_a_second_up_changes_nothing() -> None:
    definition = stack({"db": {}, "web": {"depends_on": ["db"]}})
    assert up(definition, running(definition)) == ()
