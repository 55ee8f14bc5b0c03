"""The team's own functions, and what becomes of one that fails."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from types import SimpleNamespace

import pytest

from invoke_devstack.errors import HookError, Interrupted, UsageError
from invoke_devstack.running.hooks import Hooks, end_programs, owner_of_hook


def test_hooks_of_one_name_run_in_the_order_in_which_they_were_added() -> None:
    called: list[str] = []
    hooks = Hooks()
    hooks.add("after", "db", lambda c: called.append("migrate"))
    hooks.add("after", "db", lambda c: called.append("seed"))
    hooks.add("before", "db", lambda c: called.append("other"))
    hooks.run("after db")
    assert called == ["migrate", "seed"]


def test_a_run_says_which_functions_it_called() -> None:
    hooks = Hooks()
    hooks.add("after", "db", migrate)
    assert hooks.run("before db") == ""
    with pytest.raises(HookError):
        hooks.run("after db")
    hooks = Hooks()
    hooks.add("after", "db", print)
    assert hooks.run("after db") == "print"


def test_a_hook_is_given_the_context_that_the_hooks_are_bound_to() -> None:
    given: list[object] = []
    hooks = Hooks()
    hooks.add("before", "up", given.append)
    hooks.bound_to("context").run("before up")
    assert given == ["context"]


def test_names_tell_hooks_of_a_change_from_those_of_each_time() -> None:
    hooks = Hooks()
    hooks.add("after", "db", print)
    hooks.add("before", "up", print, always=True)
    assert hooks.names(always=False) == {"after db"}
    assert hooks.names(always=True) == {"before up"}
    assert hooks.names() == {"after db", "before up"}


def migrate(context: object) -> None:
    error = RuntimeError("Encountered a bad command exit code!\n\nCommand: 'false'")
    vars(error)["result"] = SimpleNamespace(stdout="creating tables\n", stderr="no such table\n")
    raise error


def test_a_failing_hook_is_named_with_its_function_and_its_output() -> None:
    hooks = Hooks()
    hooks.add("after", "db", migrate)
    with pytest.raises(HookError) as caught:
        hooks.run("after db")
    assert (
        caught.value.message == "the hook `after db` (migrate) failed: Encountered a bad command exit code!"
    )
    assert caught.value.details == ("creating tables", "no such table")


def test_a_hook_that_exits_fails_like_any_other() -> None:
    def leave(context: object) -> None:
        raise SystemExit(3)

    hooks = Hooks()
    hooks.add("after", "db", leave)
    with pytest.raises(HookError):
        hooks.run("after db")


def test_an_interrupt_in_a_hook_stays_an_interrupt() -> None:
    def interrupted(context: object) -> None:
        raise Interrupted(2)

    hooks = Hooks()
    hooks.add("after", "db", interrupted)
    with pytest.raises(Interrupted):
        hooks.run("after db")


def test_a_hook_for_what_is_no_service_is_refused_with_the_nearest_name() -> None:
    hooks = Hooks()
    hooks.add("after", "up", print)
    hooks.add("before", "mysql", print)
    hooks.check_targets(["mysql", "web"])
    hooks.add("after", "mysl", migrate)
    with pytest.raises(UsageError, match=r"the hook `after mysl` \(migrate\)") as caught:
        hooks.check_targets(["mysql", "web"])
    assert caught.value.hint == "Did you mean `mysql`?"


def test_where_stdout_is_taken_a_hook_prints_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    hooks = Hooks()
    hooks.add("after", "db", lambda c: print("seeded"))
    hooks.bound_to(None, stdout_taken=True).run("after db")
    assert capsys.readouterr() == ("", "seeded\n")
    print("back")
    hooks.bound_to(None).run("after db")
    assert capsys.readouterr().out == "back\nseeded\n"


def test_a_hook_knows_whose_it_is_also_when_hooks_of_two_run_at_once() -> None:
    seen: dict[str, object] = {}
    both = threading.Barrier(2, timeout=10)

    def note(name: str) -> None:
        both.wait()
        seen[name] = owner_of_hook()
        both.wait()

    hooks = Hooks()
    hooks.add("before", "web", note)
    threads = [
        threading.Thread(target=hooks.bound_to(name, owner=f"owner of {name}").run, args=("before web",))
        for name in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"one": "owner of one", "two": "owner of two"}
    assert owner_of_hook() is None


def test_programs_of_hooks_end_with_the_command_and_others_do_not() -> None:
    before = subprocess.Popen(["sleep", "1000"])
    time.sleep(1.5)  # psutil's times of processes may be a second late or early
    started: list[subprocess.Popen[bytes]] = []
    began = threading.Event()

    def start(context: object) -> None:
        started.append(subprocess.Popen(["sleep", "1000"]))
        began.set()
        started[0].wait()

    hooks = Hooks()
    hooks.add("before", "up", start)
    running = threading.Thread(target=hooks.run, args=("before up",))
    running.start()
    try:
        assert began.wait(60)
        end_programs(signal.SIGTERM)
        running.join(60)
        assert started[0].poll() == -signal.SIGTERM
        assert before.poll() is None
    finally:
        for program in (before, *started):
            program.kill()
            program.wait()
