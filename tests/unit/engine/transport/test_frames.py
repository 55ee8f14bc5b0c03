"""Frames of the engine's stream, cut anywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from invoke_devstack.engine.transport.frames import Demultiplexer

NUMBERS = {"stdout": 1, "stderr": 2}
frames_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from(["stdout", "stdout", "stderr"]),
        st.one_of(
            st.binary(min_size=1, max_size=40),
            st.just(b"\x01\0\0\0\0\0\0\x05hello\n"),
            st.just(b"\x01\0\0\0\0\0\0\x02"),
            st.just(b"a line\n"),
        ),
    ),
    max_size=12,
)


def encoded(frames: list[tuple[str, bytes]]) -> bytes:
    return b"".join(
        bytes([NUMBERS[stream], 0, 0, 0]) + len(data).to_bytes(4, "big") + data for stream, data in frames
    )


def merged(pairs: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Neighbours of one stream as one pair."""
    result: list[tuple[str, bytes]] = []
    for stream, data in pairs:
        if result and result[-1][0] == stream:
            result[-1] = (stream, result[-1][1] + data)
        else:
            result.append((stream, data))
    return result


@given(frames_of_any_kind, st.lists(st.integers(1, 30), max_size=40))
def test_every_byte_comes_out_once_and_in_order_however_the_stream_is_cut(
    frames: list[tuple[str, bytes]], cuts: list[int]
) -> None:
    data = encoded(frames)
    found: list[tuple[str, bytes]] = []
    demultiplexer = Demultiplexer()
    for size in [*cuts, len(data) or 1]:
        block, data = data[:size], data[size:]
        if block:
            found.extend(demultiplexer.feed(block))
    assert merged(found) == merged(frames)
    assert list(demultiplexer.finish()) == []


def test_a_frame_is_given_when_it_is_whole() -> None:
    demultiplexer = Demultiplexer()
    data = encoded([("stdout", b"one\n"), ("stdout", b"two\n")])
    assert list(demultiplexer.feed(data[:-1])) == [("stdout", b"one\n")]
    assert list(demultiplexer.feed(data[-1:])) == [("stdout", b"two\n")]


def test_a_last_frame_that_was_cut_off_is_not_lost() -> None:
    demultiplexer = Demultiplexer()
    assert list(demultiplexer.feed(encoded([("stderr", b"broken off")])[:-4])) == []
    assert list(demultiplexer.finish()) == [("stderr", b"broken")]


def test_an_empty_frame_gives_nothing() -> None:
    demultiplexer = Demultiplexer()
    assert list(demultiplexer.feed(encoded([("stdout", b"")]))) == []
    assert list(demultiplexer.feed(encoded([("stdout", b"x")]))) == [("stdout", b"x")]
