from __future__ import annotations

from invoke_devstack import events as e
from invoke_devstack.console.board import Board, Mark


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
