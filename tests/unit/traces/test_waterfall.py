"""The order of a waterfall, and clocks that differ."""

from __future__ import annotations

from invoke_devstack.traces.asking.waterfall import Node, arrange
from invoke_devstack.traces.rows import CLIENT, CONSUMER, SERVER


def node(name: str, parent: str, start: int, end: int, *, kind: int = 1, place: str = "web") -> Node:
    return Node(name.encode(), parent.encode(), start, end, kind, place)


def outline(*nodes: Node) -> list[tuple[str, int]]:
    return [(item.id.decode(), item.depth) for item in arrange(nodes)]


def test_a_span_comes_after_its_parent_and_children_by_their_start() -> None:
    late, early = node("late", "root", 50, 60), node("early", "root", 10, 20)
    below = node("below", "late", 51, 52)
    order = [("root", 0), ("early", 1), ("late", 1), ("below", 2)]
    assert outline(below, late, early, node("root", "", 0, 100)) == order


def test_a_span_whose_parent_has_not_arrived_is_a_root() -> None:
    found = arrange([node("root", "", 0, 9), node("child", "gone", 5, 6)])
    assert [(item.id, item.depth, item.orphan) for item in found] == [
        (b"root", 0, False),
        (b"child", 0, True),
    ]


def test_spans_that_are_each_others_parents_are_shown_once() -> None:
    assert outline(node("a", "b", 0, 9), node("b", "a", 1, 8), node("c", "b", 2, 3)) == [
        ("a", 0),
        ("b", 1),
        ("c", 2),
    ]
    assert outline(node("own", "own", 0, 1)) == [("own", 0)]


def test_ten_thousand_spans_in_each_other_are_in_order() -> None:
    nodes = [
        node(str(number), str(number - 1) if number else "", number, 30_000 - number)
        for number in range(10_000)
    ]
    found = arrange(nodes[::-1])
    assert [item.depth for item in found] == [*range(10_000)]


def test_a_service_whose_clock_is_behind_is_moved_into_the_call() -> None:
    """The call takes 100, the answer 60: so 20 are left for each way."""
    call = node("call", "", 1000, 1100, kind=CLIENT)
    answer = node("answer", "call", 0, 60, kind=SERVER, place="api")
    inside = node("inside", "answer", 10, 20, place="api")
    found = {item.id: item for item in arrange([call, answer, inside])}
    assert (found[b"answer"].start, found[b"answer"].shift) == (1020, 1020)
    assert (found[b"inside"].start, found[b"inside"].shift) == (1030, 1020)


def test_a_service_whose_clock_is_ahead_is_moved_into_the_call() -> None:
    call = node("call", "", 1000, 1100, kind=CLIENT)
    answer = node("answer", "call", 5000, 5060, kind=SERVER, place="api")
    assert [item.start for item in arrange([call, answer])] == [1000, 1020]


def test_who_gave_up_waiting_does_not_move_the_answer() -> None:
    call = node("call", "", 1000, 1100, kind=CLIENT)
    answer = node("answer", "call", 1010, 3000, kind=SERVER, place="api")
    assert arrange([call, answer])[1].shift == 0


def test_a_message_that_is_handled_later_is_not_moved() -> None:
    sent = node("sent", "", 0, 10)
    handled = node("handled", "sent", 500, 600, kind=CONSUMER, place="worker")
    assert arrange([sent, handled])[1].shift == 0


def test_own_time_is_when_no_child_ran() -> None:
    root = node("root", "", 0, 100)
    both = [node("a", "root", 10, 40), node("b", "root", 30, 50), node("c", "root", 90, 120)]
    assert arrange([root, *both])[0].self_time == 50
