"""What docs/reference/security.md promises: each promise has a test here, or names the test that holds it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.conftest import BUSYBOX, Project, find_free_port, output_of, until

SECRET = "s3cr3t-k7Qx"
WITH_SECRETS = f"""
    services:
      web:
        build:
          context: ./web
          secrets: [token]
          args: {{NPM_TOKEN: "{SECRET}"}}
        init: true
        command: sleep 600
        environment:
          DB_PASSWORD: "${{FROM_DOTENV}}"
          API_TOKEN: "{SECRET}"
          DATABASE_URL: "mysql://u:{SECRET}@db/x"
        secrets: [token]
    secrets:
      token: {{file: ./token.txt}}
"""
DOCKERFILE = "FROM IMAGE\nRUN --mount=type=secret,id=token true\n"


@pytest.fixture
def secretive(new_project: Callable[..., Project]) -> Project:
    project = new_project(WITH_SECRETS)
    project.write("web/Dockerfile", DOCKERFILE.replace("IMAGE", BUSYBOX))
    project.write("token.txt", SECRET)
    project.write(".env", f"FROM_DOTENV={SECRET}\n")
    return project


def test_no_output_shows_a_secret(secretive: Project) -> None:
    shown = [secretive.invoke("up", "--detach", "--json"), secretive.invoke("up", "--dry-run")]
    secretive.variables["API_TOKEN"] = SECRET
    for words in (
        ("config",),
        ("config", "--format", "json"),
        ("config", "--explain", "web.environment"),
        ("config", "--explain", "FROM_DOTENV"),
        ("ps", "--all", "--json"),
        ("inspect", "web", "--json"),
        ("up", "--dry-run", "--explain"),
        ("images.layers", "web", "--json"),
        ("top", "--json"),
        ("graph",),
        ("stacks", "--json"),
        ("doctor", "--json"),
        ("logs",),
    ):
        shown.append(secretive.invoke(*words))
    secretive.compose(WITH_SECRETS + "    nonsense: 1\n")
    shown.append(secretive.invoke("up", "--debug"))
    for number, ended in enumerate(shown):
        assert SECRET not in ended.out + ended.err, (number, ended.out, ended.err)


def test_labels_and_the_image_history_hold_no_secret(secretive: Project) -> None:
    assert secretive.invoke("up", "--detach").code == 0
    container = secretive.container("web")
    assert SECRET not in json.dumps(container.labels)
    assert SECRET not in json.dumps(container.image.history())
    assert SECRET not in json.dumps(container.image.attrs)


def test_no_process_of_ours_has_a_secret_among_its_arguments(secretive: Project) -> None:
    slow = DOCKERFILE.replace("IMAGE", BUSYBOX).replace("true", "sleep 2")
    secretive.write("web/Dockerfile", slow)
    process = secretive.start("up", "--detach", "--build")
    seen: set[str] = set()
    while process.poll() is None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:  # it has ended
                continue
        time.sleep(0.05)
    process.communicate()
    assert any("up --detach" in item for item in seen)
    assert not [item for item in seen if SECRET in item]


def test_a_port_is_for_this_machine_alone_unless_asked(
    new_project: Callable[..., Project],
) -> None:
    """From the network namespace of another container, at the addresses that this machine has there."""
    ours, open_ = find_free_port(), find_free_port()
    project = new_project(f"""
        services:
          web: {{image: IMAGE, init: true, command: httpd -f -p 80, ports: ["{ours}:80"]}}
          wide: {{image: IMAGE, init: true, command: httpd -f -p 80, ports: ["0.0.0.0:{open_}:80"]}}
          other: {{image: IMAGE, init: true, command: sleep 600}}
    """)
    assert project.invoke("up", "--detach").code == 0
    other = project.container("other")
    ((_, network),) = other.attrs["NetworkSettings"]["Networks"].items()
    gateway = network["Gateway"]

    def answers(port: int) -> bool:
        request = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 10 {gateway} {port}"
        return b"HTTP/1" in other.exec_run(["sh", "-c", request]).output

    until(lambda: answers(open_), "an answer")  # whose output the engine may lose
    assert not answers(ours)
    bindings = project.container("web").attrs["HostConfig"]["PortBindings"]["80/tcp"]
    assert [item["HostIp"] for item in bindings] == ["127.0.0.1"]


def test_files_that_hold_something_private_are_for_their_owner_alone(
    new_project: Callable[..., Project], tmp_path: Path
) -> None:
    project = new_project("""
        services:
          db: {image: IMAGE, init: true, command: sleep 600, volumes: ["data:/data"]}
        volumes: {data: {}}
    """)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    project.variables |= {"XDG_RUNTIME_DIR": str(scratch), "TMPDIR": str(scratch)}
    old = os.umask(0)
    try:
        assert project.invoke("up", "--detach").code == 0
        assert project.invoke("snapshot", "db", "--name", "s").code == 0
        file = project.directory / "s.tar"
        assert project.invoke("snapshots.export", "s", str(file)).code == 0
        assert project.invoke("snapshots.rm", "s", "--yes").code == 0
    finally:
        os.umask(old)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for path in scratch.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


@pytest.fixture
def box(new_project: Callable[..., Project]) -> Project:
    project = new_project("services:\n  web: {image: IMAGE, init: true, command: sleep 600}\n")
    assert project.invoke("up", "--detach").code == 0
    return project


def run_in(project: Project, script: str) -> str:
    done = project.container("web").exec_run(["sh", "-c", script])
    assert done.exit_code == 0, done.output
    return str(done.output.decode())


def test_cp_into_a_container_copies_a_link_as_a_link(box: Project, tmp_path: Path) -> None:
    (tmp_path / "private").write_text(SECRET)
    (box.directory / "src").mkdir()
    (box.directory / "src" / "link").symlink_to(tmp_path / "private")
    assert box.invoke("cp", "src", "web:/tmp/src").code == 0
    link = output_of(box.container("web"), "readlink", "/tmp/src/link").decode()
    assert link.strip() == str(tmp_path / "private")
    assert SECRET not in run_in(box, "cat /tmp/src/* 2>/dev/null; true")


def test_cp_out_of_a_container_writes_nothing_through_its_links(box: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    run_in(box, f"mkdir -p /tmp/out/a && ln -s {outside} /tmp/out/a/there && echo x > /tmp/out/file")
    assert box.invoke("cp", "web:/tmp/out", "out").code == 0
    assert (box.directory / "out" / "a" / "there").is_symlink()
    # The second time a link of the first lies where a folder comes, and a file where one led away.
    run_in(box, "rm /tmp/out/a/there && mkdir /tmp/out/a/there && echo y > /tmp/out/a/there/stolen")
    again = box.invoke("cp", "web:/tmp/out/.", "out")
    assert list(outside.iterdir()) == []
    assert again.code in (0, 1)
    assert "Traceback" not in again.err


def test_names_and_labels_cannot_steer_the_terminal(box: Project) -> None:
    evil = "x\x1b]52;c;AAAA\x07\x1b[2Jy"
    labels = {
        "com.docker.compose.project": f"{box.name}",
        "com.docker.compose.service": evil,
        "com.docker.compose.container-number": "1",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.project.working_dir": f"/tmp/{evil}",
        "com.docker.compose.config-hash": "0",
    }
    made = box.client.containers.create(
        BUSYBOX, ["sh", "-c", "sleep 600"], labels=labels, name=f"{box.name}-evil-1"
    )
    made.start()
    for words in (("ps", "--all"), ("stacks",), ("up", "--dry-run"), ("logs",), ("top",), ("down",)):
        ended = box.invoke(*words)
        assert "\x1b]" not in ended.out + ended.err, words
        assert "\x1b[2J" not in ended.out + ended.err, words


def test_no_shell_is_built_from_what_a_user_types(box: Project, tmp_path: Path) -> None:
    """Names, paths and words with a shell's marks: they reach the container as they are, or are refused."""
    canary = tmp_path / "canary"
    marks = f"$(touch {canary});`touch {canary}`"
    box.write(f"src/{marks.replace('/', '_')}", "x")
    assert box.invoke("exec", "web", "--", "echo", marks).out.strip() == marks
    assert box.invoke("cp", "src", f"web:/tmp/{marks.replace('/', '_')}").code == 0
    for words in (("logs", "-s", marks), ("logs", "--grep", marks), ("snapshot", "web", "--name", marks)):
        box.invoke(*words)
    assert not canary.exists()
    run_in(box, f"test ! -e {canary}")


def test_no_source_file_hands_a_text_to_a_shell() -> None:
    """`shell=True`, os.system and os.popen stand nowhere in the package."""
    package = Path(__file__).parents[3] / "invoke_devstack"
    words = [
        "grep",
        "-rnE",
        r"shell=True|os\.system\(|os\.popen\(|getoutput\(",
        str(package),
        "--include=*.py",
    ]
    assert subprocess.run(words, capture_output=True, text=True, check=False).stdout == ""
