"""Each row of docs/guides/docker-commands.md on the example, which the script of `--explain` brought up."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from pexpect import TIMEOUT

from tests.functional.conftest import Ended, Project, invoke_command, until
from tests.functional.samples import FIRST_UP, copy_of_example
from tests.terminal import Terminal


@dataclass(frozen=True)
class Example:
    """The example, and how its script and the `up` after it ended."""

    project: Project
    script: str
    again: str
    by_hand: Ended
    up: Ended


@pytest.fixture(scope="module")
def example(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    project = copy_of_example(tmp_path_factory.mktemp("example"), client, "commands")
    try:
        built = project.invoke("build", timeout=FIRST_UP)
        assert built.code == 0, built.err
        script = project.invoke("up", "--dry-run", "--explain")
        again = project.invoke("up", "--dry-run", "--explain")
        project.write("up.sh", script.out)
        by_hand = project.run("sh", "-e", "up.sh", timeout=FIRST_UP)
        assert by_hand.code == 0, by_hand.err
        yield Example(project, script.out, again.out, by_hand, project.invoke("up", "--detach"))
    finally:
        project.remove_everything()


@pytest.fixture(scope="module")
def stack(example: Example) -> Project:
    """The example, up."""
    return example.project


@pytest.fixture
def restored(stack: Project) -> Iterator[Project]:
    """For tests that stop something: the example is up again afterwards."""
    yield stack
    stack.invoke("up", "--detach")


def page(project: Project) -> str:
    with urllib.request.urlopen(f"http://localhost:{project.variables['WEB_PORT']}/", timeout=60) as answer:
        return str(answer.read().decode())


def commands_of(ended: Ended) -> list[str]:
    """The docker commands that `--explain` told."""
    assert ended.code == 0, ended.err
    lines = (ended.err + ended.out).splitlines()
    found = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    sentences = [line for line in lines if line.startswith("# ")]
    assert len(sentences) >= len(found)
    return found


# --explain


@pytest.mark.timeout(900)
def test_the_script_of_explain_gives_a_working_page_that_up_leaves_alone(example: Example) -> None:
    assert "<html" in page(example.project)
    assert example.up.code == 0, example.up.err
    assert "nothing to do" in example.up.out
    assert len(example.project.containers()) == 3


def test_the_script_is_the_same_each_time_and_tells_no_secret(example: Example) -> None:
    assert example.script == example.again
    assert "local-sample" not in example.script
    assert "local-root" not in example.script


def test_every_step_of_the_script_has_a_sentence(example: Example) -> None:
    steps = [part.splitlines() for part in example.script.split("\n\n")[2:]]
    remarks = [step for step in steps if len(step) == 1]
    assert all(step[0].startswith("# ") for step in steps)
    assert all("docker" in step[-1] for step in steps if step not in remarks)


def test_compose_sees_what_the_script_made(example: Example) -> None:
    files = sorted(example.project.directory.glob("services/*.yaml"))
    words = [word for file in files for word in ("-f", str(file))]
    if shutil.which("docker") is None:
        pytest.skip("no docker command here")
    listed = example.project.docker(
        "compose", "--project-directory", ".", *words, "ps", "--format", "{{.Service}}"
    )
    assert sorted(listed.out.split()) == ["mysql", "redis", "web"]


BY_HAND = {
    "stop -s web -t 4": "docker stop -t 4 NAME-web-1",
    "start -s web": "docker start NAME-web-1",
    "restart -s redis -t 5": "docker restart -t 5 NAME-redis-1",
    "pause -s redis": "docker pause NAME-redis-1",
    "unpause -s redis": "docker unpause NAME-redis-1",
    "kill -s redis --signal CONT": "docker kill --signal SIGCONT NAME-redis-1",
    "cp web:/srv/sample/serve.py copied.py": "docker cp NAME-web-1:/srv/sample/serve.py copied.py",
    "cp tasks.py web:/tmp/": "docker cp tasks.py NAME-web-1:/tmp/",
    "connect redis": "docker exec --interactive NAME-redis-1 /bin/sh -c 'exec redis-cli'",
    "build": "docker build --tag NAME-web --file",
}


def test_a_task_that_acts_tells_its_docker_command(restored: Project) -> None:
    for words, command in BY_HAND.items():
        told = commands_of(restored.invoke(*words.split(), "--explain", timeout=180))
        assert any(item.startswith(command.replace("NAME", restored.name)) for item in told), told


def test_exec_and_run_tell_their_docker_commands(stack: Project) -> None:
    ended = stack.invoke(
        "exec", "web", "--explain", "-e", "API_TOKEN=abc", "--", "sh", "-c", "echo $API_TOKEN"
    )
    assert ended.out == "abc\n"
    assert commands_of(ended)[0].endswith(f"--env 'API_TOKEN=***' {stack.name}-web-1 sh -c 'echo $API_TOKEN'")
    told = commands_of(stack.invoke("run", "web", "--no-deps", "--explain", "--", "true"))
    assert [command.split()[1] for command in told] == ["create", "start", "rm"]


def test_rm_tells_its_docker_command(restored: Project) -> None:
    assert restored.invoke("stop", "-s", "web").code == 0
    told = commands_of(restored.invoke("rm", "-s", "web", "--yes", "--explain"))
    assert told == [f"docker rm {restored.name}-web-1"]


# images and layers, build


def test_layers_have_their_instruction_and_size_and_who_shares_them(stack: Project) -> None:
    rows = stack.invoke("images.layers", "web", "--json").json()
    made = {row["instruction"].split(" ")[0]: row for row in rows if row["layer"]}
    assert "python:3.13-slim" in rows[0]["also_in"]
    (pip,) = (row for row in rows if row["instruction"].startswith("RUN pip install"))
    assert pip["layer"]
    assert pip["size"] > 1_000_000
    assert {"RUN", "COPY"} <= made.keys()
    assert all(
        not row["layer"] for row in rows if row["instruction"].startswith(("ENV", "CMD", "USER", "EXPOSE"))
    )
    layers = stack.client.images.get(f"{stack.name}-web").attrs["RootFS"]["Layers"]
    assert len([row for row in rows if row["layer"]]) == len(layers)


def test_images_lists_inspects_and_says_what_a_removal_meets(stack: Project) -> None:
    assert [row["service"] for row in stack.invoke("images", "--json").json()] == ["mysql", "redis", "web"]
    assert stack.invoke("images.inspect", "web", "--json").json()["Config"]["User"] == "nobody"
    refused = stack.invoke("images.rm", "-s", "web", "--yes")
    assert refused.code == 1
    assert f"uses the image {stack.name}-web" in refused.err
    assert "invoke down" in refused.err


def test_a_build_shows_each_step_and_which_came_from_the_cache(stack: Project) -> None:
    with (stack.directory / "flask-sample/app/pages.py").open("a") as file:
        file.write(f"# {secrets.token_hex(8)}\n")
    ended = stack.invoke("build", "-s", "web")
    assert ended.code == 0, ended.err
    assert re.search(r"step 5/7: RUN pip install .* \(cached\)", ended.err)
    assert re.search(r"step 7/7: COPY .* ./app$", ended.err, re.MULTILINE)
    assert re.search(r"MB +7 +\d of 7 steps +7/7", ended.out), ended.out


# what runs


def test_ps_shows_what_runs_and_with_all_what_has_ended(restored: Project) -> None:
    restored.invoke("stop", "-s", "web")
    assert [row["service"] for row in restored.invoke("ps", "--json").json()] == ["mysql", "redis"]
    everything = restored.invoke("ps", "--all", "--json").json()
    assert {row["service"]: row["state"] for row in everything}["web"] == "exited"


def test_logs_take_dockers_flags(stack: Project) -> None:
    page(stack)
    lines = stack.invoke("logs", "-s", "web", "-n", "1").out.splitlines()
    assert len(lines) == 1
    stamped = stack.invoke("logs", "-s", "web", "-t", "--tail", "1").out
    assert re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", stamped)
    assert stack.invoke("logs", "--since", "0s", "--until", "0s").out == ""
    found = stack.invoke("logs", "-s", "redis", "--grep", "Ready to accept").out
    assert "Ready to accept" in found
    assert len(found.splitlines()) < len(stack.invoke("logs", "-s", "redis").out.splitlines())


def test_run_makes_a_container_of_its_own_and_removes_it(stack: Project, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("from this machine\n")
    before = {container.id for container in stack.containers()}
    words = [
        "--no-deps",
        "--user",
        "root",
        "--env",
        "A=1",
        "--volume",
        f"{tmp_path}:/mine:ro",
        "--publish",
        "5000",
    ]
    ended = stack.invoke(
        "run", "web", *words, "--", "sh", "-c", "cat /mine/note; echo $A; touch /mine/x; exit 3"
    )
    assert (ended.code, ended.out) == (3, "from this machine\n1\n")
    other = stack.invoke("run", "web", "--no-deps", "--entrypoint", "echo", "--", "a  b")
    assert other.out == "a  b\n"
    assert {container.id for container in stack.containers()} == before


def test_connect_opens_the_databases_client_logged_in(stack: Project) -> None:
    assert stack.invoke("connect", "redis", typed="PING\n").out.strip() == "PONG"
    asked = stack.invoke("connect", "mysql", typed="SELECT CURRENT_USER(), DATABASE();\n")
    assert asked.out.split() == ["CURRENT_USER()", "DATABASE()", "sample@%", "sample"]


def test_dockers_it_flags_are_taken(stack: Project) -> None:
    assert stack.invoke("exec", "-it", "web", "--", "echo", "hello").out == "hello\n"


def test_events_of_a_span_end_by_themselves(stack: Project) -> None:
    stack.invoke("restart", "-s", "redis")
    events = stack.invoke("events", "--since", "60s", "--until", "0s", "--json").events("engine.event")
    mine = [event["action"] for event in events if event["service"] == "redis"]
    assert "die" in mine
    assert "start" in mine


def test_port_top_stats_inspect_and_diff_tell_of_what_runs(stack: Project) -> None:
    (port,) = stack.invoke("port", "web", "--json").json()
    assert port["host_port"] == int(stack.variables["WEB_PORT"])
    assert any("serve.py" in row["cmd"] for row in stack.invoke("top", "-s", "web", "--json").json())
    (used,) = stack.invoke("stats", "-s", "web", "--no-stream", "--json").json()
    assert used["memory"] > 0
    assert json.loads(stack.invoke("inspect", "redis").out)["Config"]["Image"] == "redis:8"
    stack.invoke("exec", "web", "--", "touch", "/tmp/new")
    assert {"change": "added", "path": "/tmp/new"} in stack.invoke("diff", "web", "--json").json()


def _sleeps(stack: Project) -> bool:
    """Whether the server has the query that sleeps: an interrupt before would be lost."""
    query = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%';\n"
    return stack.invoke("connect", "mysql", typed=query).out.split()[-1:] == ["1"]


def _ends_after_eof(client: Terminal) -> bool:
    """After an interrupt, the client drops what is typed while it takes the terminal back: type it again."""
    client.sendeof()
    return int(client.expect(["ended with 0", TIMEOUT], timeout=3)) == 0


def test_the_client_of_mysql_has_the_terminal_which_is_as_it_was_afterwards(stack: Project) -> None:
    script = f"stty -a >before; {invoke_command()} connect mysql; echo ended with $?; stty -a >after"
    with Terminal(("sh", "-c", script), stack.directory, stack.environment, timeout=60) as child:
        child.expect("mysql> ")
        child.sendline("SELECT CONCAT('I am ', CURRENT_USER());")
        child.expect(r"I am sample@%")
        child.expect("mysql> ")
        child.sendline("SELECT SLEEP(100);")
        until(lambda: _sleeps(stack), "the query runs")
        child.sendintr()
        child.expect("mysql> ")
        assert any(_ends_after_eof(child) for _ in range(20))
        child.end()
    before, after = ((stack.directory / name).read_text() for name in ("before", "after"))
    assert after == before
