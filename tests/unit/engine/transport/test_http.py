"""HTTP over connections of our own, against a server that says exactly what a test lets it say."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import IncompleteRead

import pytest

from invoke_devstack.engine.transport.http import ERRORS, Answer, Http
from invoke_devstack.engine.transport.traffic import Traffic

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Serve = Callable[[socket.socket], None]


class Server:
    """Each connection that is dialled is served by the next of `turns`, in a thread of its own."""

    def __init__(self, *turns: Serve) -> None:
        self.turns = list(turns)
        self.dialled = 0
        self.http = Http(self._dial, Traffic())

    def _dial(self, seconds: float | None) -> socket.socket:
        ours, theirs = socket.socketpair()
        turn = self.turns[self.dialled]
        self.dialled += 1
        threading.Thread(target=turn, args=(theirs,), daemon=True).start()
        return ours

    def ask(self, method: str = "GET", data: object = None) -> Answer:
        return self.http.request(method, "/x", data=data, dial_seconds=1.0, seconds=5.0)


def answering(*answers: bytes, then_close: bool = False) -> Serve:
    """One answer a request, each request read up to the end of its head."""

    def serve(connection: socket.socket) -> None:
        for answer in answers:
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(4096)
            connection.sendall(answer)
        if then_close:
            connection.close()

    return serve


def test_a_connection_serves_one_request_after_another() -> None:
    server = Server(answering(OK, OK, OK))
    assert [json.loads(server.ask().content) for _ in range(3)] == [{}, {}, {}]
    assert server.dialled == 1


def test_a_connection_that_the_engine_closed_meanwhile_is_replaced() -> None:
    closed = threading.Event()

    def serve(connection: socket.socket) -> None:
        answering(OK, then_close=True)(connection)
        closed.set()

    server = Server(serve, answering(OK))
    assert json.loads(server.ask().content) == {}
    assert closed.wait(30)
    assert json.loads(server.ask().content) == {}
    assert server.dialled == 2


def test_at_once_means_a_connection_each() -> None:
    server = Server(answering(OK), answering(OK))
    first, second = server.ask(), server.ask()
    assert (json.loads(first.content), json.loads(second.content), server.dialled) == ({}, {}, 2)


def test_an_answer_without_content_leaves_the_connection_usable() -> None:
    server = Server(
        answering(
            b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-A: b\r\n\r\n", OK
        )
    )
    assert server.ask("POST").content == b""
    head = server.ask("HEAD")
    assert (head.headers["x-a"], head.content) == ("b", b"")
    assert json.loads(server.ask().content) == {}
    assert server.dialled == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_an_error_however_it_is_read(answer: bytes) -> None:
    server = Server(*(answering(answer, then_close=True) for _ in range(3)))
    with pytest.raises(ERRORS):
        _ = server.ask().content
    with pytest.raises(IncompleteRead):
        list(server.ask().blocks())
    with pytest.raises(IncompleteRead):
        list(server.ask().lines())


def test_lines_come_as_they_are_written() -> None:
    more = threading.Event()

    def serve(connection: socket.socket) -> None:
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\none\ntw\r\n")(connection)
        more.wait(30)
        connection.sendall(b"2\r\no\n\r\n5\r\nthree\r\n0\r\n\r\n")

    lines: Iterator[bytes] = Server(serve).ask().lines()
    assert next(lines) == b"one"
    more.set()
    assert list(lines) == [b"two", b"three"]


def test_a_silent_stream_is_broken_off_from_another_thread() -> None:
    answer = Server(answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")).ask()
    threading.Timer(0.1, answer.break_off).start()
    with pytest.raises(ERRORS):
        next(answer.lines())


def test_a_refusal_before_all_was_sent_is_heard() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\n\r\nfull")
        connection.close()

    def blocks() -> Iterator[bytes]:
        for _ in range(10_000):
            yield bytes(1 << 16)

    answer = Server(serve).ask("PUT", data=blocks())
    assert (answer.status, answer.content) == (400, b"full")


def test_what_comes_in_pieces_goes_out_in_pieces() -> None:
    received = bytearray()

    def serve(connection: socket.socket) -> None:
        while not received.endswith(b"0\r\n\r\n"):
            received.extend(connection.recv(4096))
        connection.sendall(OK)

    assert json.loads(Server(serve).ask("PUT", data=iter([b"one", b"two"])).content) == {}
    assert received.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_an_engine_that_is_silent_is_given_up_in_time() -> None:
    def serve(connection: socket.socket) -> None:
        threading.Event().wait(5)

    server = Server(serve)
    with pytest.raises(TimeoutError):
        server.http.request("GET", "/x", dial_seconds=1.0, seconds=0.1)


def test_after_the_end_nothing_is_kept_open() -> None:
    server = Server(answering(OK), answering(OK))
    running = server.ask()
    _ = server.ask().content
    server.http.close()
    assert json.loads(running.content) == {}
    assert server.http._idle == []


def test_an_answer_that_is_closed_twice_gives_its_connection_back_once() -> None:
    """The second time, another request may have the connection already."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    server = Server(answering(chunked, OK), answering(OK))
    first = server.ask()
    assert list(first.blocks()) == [b"{}"]
    second = server.ask()
    assert server.dialled == 1
    first.close()
    third = server.ask()
    assert (json.loads(second.content), json.loads(third.content), server.dialled) == ({}, {}, 2)
