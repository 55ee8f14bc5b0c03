from __future__ import annotations

from invoke_devstack import events as e
from invoke_devstack.console.board import Board
from invoke_devstack.console.event_views import Mark


def test_services_stand_in_the_order_of_the_plan() -> None:
    board = Board(0.0)
    board.expect(("mysql", "redis"))
    board.apply(e.ActionStarted(action="start", target="p-redis-1", cause="", service="redis"), 1.0)
    rows, hidden = board.rows(10)
    assert [(row.name, row.mark) for row in rows] == [("mysql", Mark.QUIET), ("redis", Mark.BUSY)]
    assert hidden == 0


def test_layers_add_up_to_one_bar() -> None:
    board = Board(0.0)
    board.apply(e.ActionStarted(action="pull", target="redis:8", cause=""), 0.0)
    for item, done in (("a", 10), ("b", 40)):
        board.apply(
            e.ActionProgress(action="pull", target="redis:8", item=item, done=done, total=100, unit="bytes"),
            1.0,
        )
    board.apply(e.ActionProgress(action="pull", target="redis:8", item="a", text="extracting"), 2.0)
    (row,), _ = board.rows(10)
    assert row.fraction() == (50, 200, "bytes")
    assert row.latest() == "extracting"


def test_what_belongs_to_no_service_goes_when_it_is_done() -> None:
    board = Board(0.0)
    board.apply(e.ActionStarted(action="create network", target="p_default", cause=""), 0.0)
    board.apply(e.ActionFinished(action="create network", target="p_default", seconds=0.1), 0.1)
    assert board.rows(10) == ([], 0)


def test_time_counts_from_the_first_step_of_a_service() -> None:
    board = Board(0.0)
    board.expect(("web",))
    board.apply(e.ActionStarted(action="create", target="p-web-1", cause="", service="web"), 2.0)
    board.apply(e.ActionStarted(action="start", target="p-web-1", cause="", service="web"), 3.0)
    (row,), _ = board.rows(10)
    assert row.elapsed(5.0) == 3.0
    board.apply(e.ServiceReady(service="web", container="p-web-1", state="running", seconds=4.5), 6.0)
    assert row.elapsed(60.0) == 4.5


def test_when_rows_are_too_many_those_under_way_stay() -> None:
    board = Board(0.0)
    board.expect(f"s{number}" for number in range(50))
    board.apply(e.ActionStarted(action="start", target="x", cause="", service="s49"), 0.0)
    rows, hidden = board.rows(10)
    assert "s49" in [row.name for row in rows]
    assert (len(rows), hidden) == (9, 41)


def test_what_is_made_and_may_not_start_yet_rests() -> None:
    board = Board(0.0)
    board.apply(e.ActionStarted(action="create", target="p-web-1", cause="", service="web"), 0.0)
    board.apply(e.ActionFinished(action="create", target="p-web-1", seconds=0.1, service="web"), 0.1)
    (row,), _ = board.rows(10)
    assert (row.mark, row.elapsed(5.0)) == (Mark.QUIET, None)
    board.apply(e.ActionStarted(action="start", target="p-web-1", cause="", service="web"), 6.0)
    assert (row.mark, row.elapsed(7.0)) == (Mark.BUSY, 1.0)


def test_the_steps_of_a_build_are_not_added_up() -> None:
    """Each step counts those that began before it: the fifth of seven is 5 of 7, not 15 of 35."""
    board = Board(0.0)
    board.apply(e.ActionStarted(action="build", target="web", cause="", service="web"), 0.0)
    for number in range(1, 6):
        progress = e.ActionProgress(
            action="build",
            target="web",
            item=f"step {number}/7",
            text=f"RUN {number}",
            done=number,
            total=7,
            unit="steps",
        )
        board.apply(progress, float(number))
    (row,), _ = board.rows(10)
    assert (row.fraction(), row.latest()) == ((5, 7, "steps"), "RUN 5")


def test_after_a_hook_a_service_is_what_it_was_before() -> None:
    board = Board(0.0)
    board.apply(e.ServiceReady(service="db", container="p-db-1", state="healthy", seconds=0.5), 0.5)
    board.apply(e.ActionStarted(action="hook", target="after db", cause="", service="db"), 0.6)
    (row,), _ = board.rows(10)
    assert (row.mark, row.text) == (Mark.BUSY, "running the hook")
    board.apply(e.ActionFinished(action="hook", target="after db", seconds=1.0, service="db"), 1.6)
    assert (row.mark, row.text, row.elapsed(20.0)) == (Mark.GOOD, "healthy", 0.5)


def test_a_service_whose_image_is_built_is_no_longer_building() -> None:
    board = Board(0.0)
    board.apply(e.ActionStarted(action="build", target="web:1", cause="", service="web"), 0.0)
    board.apply(e.ActionFinished(action="build", target="web:1", seconds=2.0, service="web"), 2.0)
    (row,), _ = board.rows(10)
    assert (row.mark, row.text, row.elapsed(20.0)) == (Mark.QUIET, "built", None)
