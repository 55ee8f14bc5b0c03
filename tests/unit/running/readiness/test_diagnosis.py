"""What to do about a container that ended: from its code, its state and its last lines."""

from __future__ import annotations

import pytest

from invoke_devstack.running.readiness import diagnosis


@pytest.mark.parametrize(
    ("code", "line", "word"),
    [
        (1, "exec /run.sh: exec format error", "platform"),
        (1, "You need to specify one of MYSQL_ROOT_PASSWORD, …", "MYSQL_ROOT_PASSWORD"),
        (1, "Error: superuser password is not specified: POSTGRES_PASSWORD", "POSTGRES_PASSWORD"),
        (1, "bind: Address already in use", "network_mode"),
        (1, "mkdir: can't create '/data': Permission denied", "user:"),
        (127, "sh: app: not found", "entrypoint"),
        (126, "", "chmod +x"),
        (139, "", "segmentation fault"),
        (1, "something else", "invoke logs -s web"),
    ],
)
def test_the_hint_follows_what_is_known(code: int, line: str, word: str) -> None:
    assert word in diagnosis.exit_hint("web", code, {}, [line])


def test_a_container_killed_for_memory_is_told_its_limit() -> None:
    inspected = {"State": {"OOMKilled": True}, "HostConfig": {"Memory": 64 * 1024**2}}
    assert "64 MiB" in diagnosis.exit_hint("web", 137, inspected, [])
    assert "mem_limit" in diagnosis.exit_hint("web", 137, inspected, [])


def test_a_machine_out_of_memory_is_named_as_such() -> None:
    assert "machine ran out of memory" in diagnosis.exit_hint("web", 137, {"State": {"OOMKilled": True}}, [])


@pytest.mark.parametrize(
    ("services", "text"),
    [
        ((), ""),
        (("api",), "; api waits for it"),
        (("api", "web"), "; api and web wait for it"),
        (("a", "b", "c"), "; a, b and c wait for it"),
    ],
)
def test_those_who_wait_are_named(services: tuple[str, ...], text: str) -> None:
    assert diagnosis.waited_for(services) == text


def test_a_code_above_128_names_its_signal() -> None:
    assert diagnosis.exited(137) == "exited with code 137 (killed by SIGKILL)"
    assert diagnosis.exited(3) == "exited with code 3"


def test_details_hold_the_last_probe_and_the_last_lines() -> None:
    details = diagnosis.failure_details("one\ntwo", ["a", "b"])
    assert details == ("last probe: one", "last probe: two", "last log lines:", "  a", "  b")
