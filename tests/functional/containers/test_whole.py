"""A container as a whole: attach, commit, export; and the volumes of the stack."""

from __future__ import annotations

import io
import os
import secrets
import signal
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import TASKS, Project

SIGNALLED = "trap 'echo got INT; exit 5' INT; while :; do echo tick; sleep 0.1; done"
STACK = f"""
    services:
      signalled: {{image: IMAGE, command: [sh, -c, "{SIGNALLED.replace(":;", "true;")}"]}}
      reader: {{image: IMAGE, stdin_open: true, command: [sh, -c, "read line; echo got $$line; exit 4"]}}
      shell: {{image: IMAGE, stdin_open: true, tty: true, command: sh}}
      web:
        image: IMAGE
        init: true
        command: [sh, -c, "echo made > /tmp/made; echo kept > /keep/file; sleep 600"]
        volumes: ["keep:/keep", /own]
    volumes: {{keep: {{}}}}
"""


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient, busybox: str
) -> Iterator[Project]:
    name = f"t-whole-{secrets.token_hex(4)}"
    directory: Path = tmp_path_factory.mktemp(name)
    made = Project(directory, name, client)
    made.write("tasks.py", TASKS)
    made.compose(STACK)
    assert made.invoke("up", "-d").code == 0
    yield made
    made.remove_everything()


def test_attach_passes_input_on_and_ends_with_the_exit_code(project: Project) -> None:
    ended = project.invoke("attach", "reader", typed="a line\n")
    assert (ended.code, ended.out) == (4, "got a line\n")
    stopped = project.invoke("attach", "reader")
    assert (stopped.code, "it is exited" in stopped.err) == (1, True)


def test_attach_passes_signals_on(project: Project) -> None:
    child = project.start("attach", "--no-stdin", "--explain", "signalled")
    assert child.stdout is not None
    while child.stdout.readline() != "tick\n":  # what it shows, it is attached to
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, "got INT" in out) == (5, True)
    assert f"docker attach --no-stdin {project.name}-signalled-1" in err


def test_attach_to_a_terminal_can_be_left_with_keys_of_ones_own(project: Project) -> None:
    with project.terminal("attach", "--detach-keys", "ctrl-x,d", "shell") as child:
        child.sendline("echo $((6*7))")
        child.expect("42")
        child.send("\x18d")
        child.expect("still running")
        assert child.end() == 0
    assert project.container("shell").status == "running"
    assert project.invoke("attach", "--detach-keys", "ctrl-", "shell").code == 2


def test_commit_makes_an_image_of_the_container_as_it_is(project: Project) -> None:
    name = f"{project.name}-snapshot:1"
    assert project.invoke("commit", "web", name, "--dry").out == f"commit {project.name}-web-1  (commit)\n"
    words = ("commit", "web", name, "-m", "as it is", "-a", "Ada", "-c", "ENV COLOUR=blue")
    ended = project.invoke(*words)
    assert (ended.code, "made an image of" in ended.err) == (0, True)
    image = project.client.images.get(name)
    try:
        assert (image.attrs["Author"], image.attrs["Comment"]) == ("Ada", "as it is")
        assert "COLOUR=blue" in image.attrs["Config"]["Env"]
        found = project.client.containers.run(name, ["cat", "/tmp/made"], remove=True)
        assert found == b"made\n"
    finally:
        project.client.images.remove(name, force=True)


def test_export_writes_the_files_of_the_container_and_none_of_its_volumes(project: Project) -> None:
    assert project.invoke("export", "web", "-o", "web.tar").code == 0
    with tarfile.open(project.directory / "web.tar") as archive:
        made = archive.extractfile("tmp/made")
        assert made is not None
        assert made.read() == b"made\n"
        assert "keep/file" not in archive.getnames()
    piped = project.run("sh", "-c", "invoke export --index 1 web | tar -xO tmp/made")
    assert piped.out == "made\n"
    with project.terminal("export", "web") as child:
        child.expect("the output is a terminal")
        assert child.end() == 2


def test_export_replaces_no_link_and_nothing_that_is_no_file(project: Project) -> None:
    pipe, link, kept = (project.directory / name for name in ("pipe", "link.tar", "kept.tar"))
    os.mkfifo(pipe)
    ended = project.invoke("export", "web", "-o", "pipe")
    assert (ended.code, "it is not a file" in ended.err) == (1, True)
    assert pipe.is_fifo()
    kept.write_text("old")
    kept.chmod(0o640)
    link.symlink_to(kept.name)
    assert project.invoke("export", "web", "-o", "link.tar").code == 0
    assert link.is_symlink()
    assert (tarfile.is_tarfile(kept), stat.S_IMODE(kept.stat().st_mode)) == (True, 0o640)


def test_volumes_have_a_size_and_those_who_use_them(project: Project) -> None:
    rows = {row["place"] or row["volume"]: row for row in project.invoke("volumes", "--json").json()}
    kept = rows[f"{project.name}_keep"]
    assert (kept["kind"], kept["used_by"], kept["size"] >= 0) == ("named", ["web"], True)
    assert rows["web-1:/own"]["kind"] == "anonymous"
    names = project.invoke("volumes", "-q", "web").out.split()
    assert names == sorted(row["volume"] for row in rows.values())
    compose = project.docker("compose", "volumes", "-q").out.split()
    assert {*compose} <= {*names}
    assert project.invoke("volumes", "-q", "shell").out == ""


def test_what_is_exported_reads_as_what_docker_exports(project: Project) -> None:
    container = project.container("reader")
    theirs = b"".join(container.export())
    ours = project.directory / "ours.tar"
    assert project.invoke("export", "reader", "-o", str(ours)).code == 0
    with tarfile.open(ours) as one, tarfile.open(fileobj=io.BytesIO(theirs)) as other:
        assert one.getnames() == other.getnames()
