"""The commands behind exec, run and cp; and the secrets that a script leaves out."""

from __future__ import annotations

import subprocess

from invoke_devstack.planning.explaining.script import script, secrets
from invoke_devstack.planning.explaining.task_commands import explain_copy, explain_exec, explain_sync
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plans.up import plan_up
from invoke_devstack.planning.watching.actions import PathPair
from tests.unit.planning.building import engine_with
from tests.unit.planning.explaining.test_docker_commands import SECRETIVE, SECRETS


def test_words_keep_their_quoting() -> None:
    told = explain_exec("p-web-1", ("sh", "-c", 'echo "a  b"'), tty=True, user="me")
    assert told.command == "docker exec --interactive --tty --user me p-web-1 sh -c 'echo \"a  b\"'"


def test_a_secret_variable_of_exec_is_masked() -> None:
    told = explain_exec(
        "p-web-1", ("env",), tty=False, environment=("API_TOKEN=abc", "MODE=dev", "FROM_HERE")
    )
    assert "abc" not in told.command
    assert "--env MODE=dev --env FROM_HERE p-web-1 env" in told.command


def test_a_copy_is_the_same_copy() -> None:
    assert explain_copy("p-web-1:/a b", ".").command == "docker cp 'p-web-1:/a b' ."


def test_a_save_is_a_copy_and_a_removal() -> None:
    copies = (PathPair("/src/a.py", "/app/a.py"), PathPair("/src/new", "/app/new", directory=True))
    told = [item.command for item in explain_sync("p-web-1", copies, (PathPair("/src/old", "/app/old"),))]
    assert told == [
        "docker cp /src/a.py p-web-1:/app/a.py",
        "docker cp /src/new/. p-web-1:/app/new",
        "docker exec --user 0 p-web-1 rm -rf /app/old",
    ]


def test_the_script_asks_for_its_secrets_and_they_fit() -> None:
    plan = plan_up(SECRETIVE, engine_with(SECRETIVE, images={}), PlanningOptions())
    needed = [line for line in script(plan).splitlines() if line.startswith(': "${')]
    lines = secrets(plan)
    assert len(needed) == len(lines.splitlines()) > 0
    assert all(secret in lines for secret in SECRETS)
    done = subprocess.run(["sh", "-eu", "-c", "\n".join([lines, *needed])], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_secret_that_is_set_by_hand_stays() -> None:
    plan = plan_up(SECRETIVE, engine_with(SECRETIVE, images={}), PlanningOptions())
    shown = subprocess.run(
        ["sh", "-eu", "-c", f'{secrets(plan)}printf %s "$TOKEN"'],
        env={"TOKEN": "mine"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "mine"


def test_the_script_names_the_command_that_it_asks() -> None:
    plan = plan_up(SECRETIVE, engine_with(SECRETIVE, images={}), PlanningOptions())
    assert 'eval "$(ask me)"\n: "${' in script(plan, ask="ask me")
    assert not any(secret in script(plan, ask="ask me") for secret in SECRETS)
