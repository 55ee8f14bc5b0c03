"""The benchmark's judgement of what was lost, and its senders with a real receiver."""

from __future__ import annotations

import pytest

from benchmarks.traces.sending import BATCH, SPANS_OF_TRACE, Sender, Sent
from benchmarks.traces.soak import lost_traces
from invoke_devstack.traces.asking.traces import read_trace
from invoke_devstack.traces.places import Door
from tests.unit.dashboard.test_receiver import KEY, Served, served

__all__ = ["served"]


def sent(*requests: tuple[float, list[int]]) -> Sent:
    """At each of these seconds, these traces were acknowledged."""
    return Sent([(at, b"".join(map(id_of, traces))) for at, traces in requests])


def id_of(number: int) -> bytes:
    return number.to_bytes(16, "big")


def kept(*whole: int, **parts: int) -> dict[bytes, int]:
    """Whole traces, and others of so many spans (`t7=9`)."""
    found = {id_of(number): SPANS_OF_TRACE for number in whole}
    return {**found, **{id_of(int(name[1:])): count for name, count in parts.items()}}


@pytest.mark.parametrize(
    ("store", "lost"),
    [
        (kept(1, 2, 3, 4, 5, 6, 7), 0),
        (kept(5, 6, 7), 0),  # the oldest were dropped
        (kept(1, 2, 3, 5, 6, 7), 1),  # one is missing among the others
        (kept(3, 4, 5, 7), 1),
        (kept(2, 3, 4, 5, 6, 7, t1=5), 1),  # a part of one is
        (kept(1, 2, 3, 4, 5, 6, t7=9), 1),
        (kept(), 7),
    ],
)
def test_what_is_gone_is_lost_unless_it_was_the_oldest(store: dict[bytes, int], lost: int) -> None:
    senders = [sent((1, [1, 2]), (10, [3, 4]), (20, [5, 6])), sent((15, [7]))]
    assert lost_traces(senders, store) == lost


def test_a_sender_sends_whole_traces_with_ids_of_their_own(served: Served) -> None:
    sender = Sender(Door(KEY, served.port))
    sender.send()
    sender.send()
    found = served.listed()
    assert len(found) == 2 * BATCH // SPANS_OF_TRACE
    assert {(item["name"], item["spans"], item["complete"]) for item in found} == {
        ("GET /", SPANS_OF_TRACE, True)
    }
    assert (sender.sent.spans, sender.sent.refused) == (2 * BATCH, {})
    large = bytes.fromhex(sender.send_large_trace(1000))
    trace = served.reading.ask(lambda opened: read_trace(opened, large), None)
    assert trace is not None and len(trace["spans"]) == 1000
    assert {span["depth"] for span in trace["spans"]} == set(range(11))


def test_what_a_receiver_refuses_is_no_acknowledged_span(served: Served) -> None:
    sender = Sender(Door("wrong", served.port))
    sender.send()
    assert (sender.sent.spans, [*sender.sent.refused.values()]) == (0, [1])
