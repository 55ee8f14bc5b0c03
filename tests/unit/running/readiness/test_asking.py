"""How often a server is asked, and how long a life must last to prove anything."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.plan import Probe
from invoke_devstack.running.readiness.asking import PortAsker
from invoke_devstack.running.readiness.lives import STABLE, Lives, crashes, is_restarted
from tests.unit.running.readiness.servers import server

HTTP = Probe(ProbeKind.HTTP, port=80)


def test_an_application_that_answers_with_an_error_is_asked_ever_less_often() -> None:
    with server(b"HTTP/1.1 503 Oops\r\n\r\n", hold=False) as address:
        asker = PortAsker(5.0, 0.03, HTTP, address)
        pauses = [(asker.ask(0.0), asker.pause(0.0)) for _ in range(5)]
    assert pauses == [("", 0.03), ("", 0.1), ("", 0.5), ("", 1.0), ("", 1.0)]


def test_a_connection_that_is_closed_without_an_answer_counts_as_an_error() -> None:
    with server(b"", hold=False) as address:
        asker = PortAsker(5.0, 0.03, HTTP, address)
        assert [(asker.ask(0.0), asker.pause(0.0)) for _ in range(2)] == [("", 0.03), ("", 0.1)]


def test_one_answering_port_is_enough_after_a_while() -> None:
    with server(b"", hold=False) as silent, server(b"", first=True) as answering:
        asker = PortAsker(5.0, 0.03, HTTP, silent, (answering,))
        assert asker.ask(0.0) == ""
        assert asker.ask(1.1) == "running"


def container(
    created: float, started: float, *, restarts: int = 0, policy: str = "always", most: int = 0, **state: str
) -> dict[str, object]:
    """Its times are seconds ago."""

    def moment(ago: float) -> str:
        return datetime.fromtimestamp(time.time() - ago, UTC).isoformat()

    return {
        "Created": moment(created),
        "RestartCount": restarts,
        "HostConfig": {"RestartPolicy": {"Name": policy, "MaximumRetryCount": most}},
        "State": {"Status": "running", "StartedAt": moment(started), "FinishedAt": moment(0), **state},
    }


def test_a_container_without_a_restart_policy_proves_itself_sooner() -> None:
    assert Lives(container(1, 0, policy="no")).proof() < Lives(container(1, 0)).proof()


def test_after_a_crash_the_next_life_must_last_clearly_longer() -> None:
    lives = Lives(container(1, 0))
    started = time.time()
    lives.end(started + 1.0)
    assert 2.5 < lives.proof() < 3.5
    lives.begin(started + 2.0)
    lives.end(started + 9.0)
    assert lives.proof() == STABLE


def test_restarts_of_long_ago_do_not_count() -> None:
    assert crashes(container(900, 600, restarts=7)) == 0
    assert crashes(container(900, 2, restarts=7)) == 7
    assert crashes(container(900, 600, restarts=7, Status="restarting")) == 1
    assert crashes(container(900, 1, restarts=7, Status="restarting")) == 7


@pytest.mark.parametrize(
    ("policy", "most", "restarts", "status", "code", "again"),
    [
        ("on-failure", 2, 1, "restarting", 1, True),
        ("on-failure", 2, 2, "restarting", 1, True),
        ("on-failure", 2, 2, "running", 1, True),  # its last restart has already begun
        ("on-failure", 2, 2, "exited", 1, False),
        ("on-failure", 2, 1, "exited", 1, True),  # one that is counted when it begins
        ("on-failure", 2, 0, "exited", 0, False),
        ("on-failure", 0, 9, "exited", 1, True),
        ("always", 0, 9, "exited", 0, True),
        ("no", 0, 0, "exited", 1, False),
    ],
)
def test_the_last_exit_of_a_policy_with_a_limit_is_one(
    policy: str, most: int, restarts: int, status: str, code: int, again: bool
) -> None:
    inspected = container(9, 1, restarts=restarts, policy=policy, most=most, Status=status)
    assert is_restarted(inspected, code) is again
