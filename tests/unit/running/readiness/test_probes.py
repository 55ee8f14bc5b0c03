"""What a probe takes for ready, and what it says of the rest."""

from __future__ import annotations

import socket
import struct
import time

import pytest

from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.running.ports.addresses import Address
from invoke_devstack.running.readiness import probes
from tests.unit.running.readiness.servers import server


@pytest.mark.parametrize(
    ("reply", "ready"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", True),
        (b"HTTP/1.1 500 Oops\r\n\r\n", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False),
    ],
)
def test_http_is_ready_when_it_answers_and_no_gateway_says_not_yet(reply: bytes, ready: bool) -> None:
    with server(reply, hold=False) as address:
        assert probes.ask(ProbeKind.HTTP, address).ready is ready


@pytest.mark.parametrize(
    ("reply", "ready"),
    [
        (b"+PONG\r\n", True),
        (b"-NOAUTH Authentication required.\r\n", True),
        (b"-LOADING Redis is loading the dataset in memory\r\n", False),
    ],
)
def test_redis_is_ready_once_it_has_loaded_its_data(reply: bytes, ready: bool) -> None:
    with server(reply) as address:
        answer = probes.ask(ProbeKind.REDIS, address)
    assert (answer.ready, answer.text) == (ready, reply.decode().strip())


def test_mysql_is_ready_when_it_greets() -> None:
    with server(b"\x4a\x00\x00\x00\x0a9.1.0\x00", first=True) as address:
        assert probes.ask(ProbeKind.MYSQL, address).ready


def test_mysql_that_closes_without_a_greeting_is_not_ready() -> None:
    with server(b"", first=True, hold=False) as address:
        assert not probes.ask(ProbeKind.MYSQL, address).ready


def _postgres_error(code: bytes) -> bytes:
    body = b"SFATAL\0C" + code + b"\0Mtext\0\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body


@pytest.mark.parametrize(
    ("reply", "ready"),
    [
        (b"R" + struct.pack("!II", 8, 0), True),
        (_postgres_error(b"28P01"), True),
        (_postgres_error(b"57P03"), False),
    ],
)
def test_postgres_is_ready_unless_it_says_that_it_starts(reply: bytes, ready: bool) -> None:
    with server(reply) as address:
        assert probes.ask(ProbeKind.POSTGRES, address).ready is ready


def test_a_port_behind_a_proxy_must_hold_the_connection() -> None:
    with server(b"", first=True, hold=False, proxied=True) as address:
        assert not probes.ask(ProbeKind.PORT, address).ready
    with server(b"", first=True, proxied=True) as address:
        assert probes.ask(ProbeKind.PORT, address).ready


def test_a_port_of_the_server_itself_is_ready_when_it_accepts() -> None:
    took: list[float] = []
    with server(b"", first=True) as address:
        for _ in range(20):
            began = time.monotonic()
            assert probes.ask(ProbeKind.PORT, address).ready
            took.append(time.monotonic() - began)
    assert min(took) < 0.03  # an idle moment is among them


def test_a_closed_port_is_not_ready_and_the_answer_says_so() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # so that nobody else listens there meanwhile
        answer = probes.ask(ProbeKind.PORT, Address("127.0.0.1", closed.getsockname()[1]))
    assert not answer.ready
    assert "refused" in answer.text


def test_a_server_that_never_answers_costs_no_more_than_the_timeout() -> None:
    with server(b"", first=True) as address:
        began = time.monotonic()
        answer = probes.ask(ProbeKind.REDIS, address, timeout=0.1)
    assert time.monotonic() - began < 10  # it would never answer
    assert "did not answer within 0.1 s" in answer.text
