"""Requests to the two builders, and what they tell."""

from __future__ import annotations

import base64
import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from invoke_devstack.engine.builds.build_log import BuildLog
from invoke_devstack.engine.builds.buildx import (
    JsonProgress,
    PlainProgress,
    buildx_arguments,
    buildx_environment,
    find_buildx,
    secret_arguments,
)
from invoke_devstack.engine.builds.choose_builder import need_of
from invoke_devstack.engine.builds.classic import build_query, is_remote
from invoke_devstack.engine.builds.context import BuildContext
from invoke_devstack.engine.endpoints import Endpoint
from invoke_devstack.engine.protocol import Progress
from invoke_devstack.errors import BuildError
from invoke_devstack.planning.plan import BuildRequest

FULL = BuildRequest(
    context="/src",
    tag="app:1",
    dockerfile="sub/Dockerfile",
    target="last",
    args={"A": "1", "B": None},
    labels={"l": "v"},
    additional_contexts={"more": "/more"},
    cache_from=("app:cache",),
    cache_to=("type=local,dest=/c",),
    secrets=(("file", "/s"), ("variable", "env:TOKEN")),
    ssh=("default",),
    network="host",
    platforms=("linux/amd64",),
    extra_hosts=("db=10.0.0.1",),
    extra_tags=("app:2",),
    shm_size=1000,
    ulimits={"nofile": "10:20"},
    privileged=True,
    no_cache=True,
    pull=True,
)


def test_buildx_is_asked_for_all_that_the_request_says() -> None:
    arguments = buildx_arguments(FULL, progress="rawjson", id_file="/id")
    assert arguments[0] == "build"
    assert arguments[-1] == "/src"
    assert set(arguments[1:-1]) == {
        "--progress=rawjson",
        "--load",
        "--iidfile=/id",
        "--file=/src/sub/Dockerfile",
        "--target=last",
        "--network=host",
        "--shm-size=1000",
        "--platform=linux/amd64",
        "--allow=security.insecure",
        "--tag=app:1",
        "--tag=app:2",
        "--build-arg=A=1",
        "--build-arg=B",
        "--label=l=v",
        "--build-context=more=/more",
        "--cache-from=app:cache",
        "--cache-to=type=local,dest=/c",
        "--secret=id=file,src=/s",
        "--secret=id=variable,env=TOKEN",
        "--ssh=default",
        "--add-host=db=10.0.0.1",
        "--ulimit=nofile=10:20",
        "--no-cache",
        "--pull",
    }


def test_a_secret_argument_is_given_to_buildx_by_its_environment() -> None:
    request = replace(FULL, args={"NPM_TOKEN": "hush", "FROM": "https://me:hush@host/", "PLAIN": "1"})
    arguments = buildx_arguments(request, progress="rawjson", id_file="/id")
    assert [word for word in arguments if "hush" in word] == []
    assert {"--build-arg=NPM_TOKEN", "--build-arg=FROM", "--build-arg=PLAIN=1"} <= set(arguments)
    assert secret_arguments(request) == {"NPM_TOKEN": "hush", "FROM": "https://me:hush@host/"}


def test_the_classic_builder_is_asked_for_all_that_it_can_do() -> None:
    query = build_query(FULL, "sub/Dockerfile")
    assert [value for key, value in query if key == "t"] == ["app:1", "app:2"]
    single = dict(query)
    assert json.loads(single["buildargs"]) == {"A": "1", "B": None}
    assert json.loads(single["labels"]) == {"l": "v"}
    assert json.loads(single["ulimits"]) == [{"Name": "nofile", "Soft": 10, "Hard": 20}]
    assert json.loads(single["cachefrom"]) == ["app:cache"]
    assert single["extrahosts"] == "db:10.0.0.1"
    assert (single["networkmode"], single["shmsize"], single["nocache"]) == ("host", "1000", "1")
    assert "remote" not in single


def test_a_context_that_is_a_url_is_left_to_the_engine() -> None:
    assert is_remote("https://github.com/a/b.git")
    assert is_remote("git@github.com:a/b.git")
    assert not is_remote("/src")
    request = BuildRequest(context="https://host/x.git", tag="t")
    assert dict(build_query(request, "Dockerfile"))["remote"] == "https://host/x.git"
    assert "--file=Dockerfile" in buildx_arguments(request, progress="plain", id_file="x")
    assert need_of(request) is None


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (Endpoint("unix:///run/x.sock"), {"DOCKER_HOST": "unix:///run/x.sock"}),
        (Endpoint("tcp://far:2376", "context far"), {"DOCKER_CONTEXT": "far"}),
        (Endpoint("tcp://a:1", "DOCKER_HOST"), {"DOCKER_HOST": "tcp://was:1", "DOCKER_CONTEXT": "was"}),
    ],
)
def test_buildx_finds_the_engine_that_we_talk_to(endpoint: Endpoint, expected: dict[str, str]) -> None:
    given = {"DOCKER_HOST": "tcp://was:1", "DOCKER_CONTEXT": "was", "PATH": "/bin"}
    made = buildx_environment(endpoint, given)
    assert {key: value for key, value in made.items() if key in ("DOCKER_HOST", "DOCKER_CONTEXT")} == expected
    assert made["PATH"] == "/bin"


def test_buildx_is_found_where_docker_keeps_its_plugins(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path / "config")}
    plugin = tmp_path / "config/cli-plugins/docker-buildx"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("")
    assert find_buildx(environment) != plugin
    plugin.chmod(0o755)
    assert find_buildx(environment) == plugin


def members(context: BuildContext) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(context.tar()))) as tar:
        return {item.name: item for item in tar.getmembers()}


def test_the_context_is_sent_in_order_with_root_as_owner(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a", "Dockerfile"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "a").chmod(0o4755)
    (tmp_path / "link").symlink_to("b/1")
    os.link(tmp_path / "a", tmp_path / "c")
    found = members(BuildContext.of(BuildRequest(context=str(tmp_path), tag="t")))
    assert list(found) == ["Dockerfile", "a", "b", "b/1", "b/2", "c", "link"]
    assert {(item.uid, item.gid, item.uname) for item in found.values()} == {(0, 0, "")}
    assert found["a"].mode == 0o4755
    assert (found["link"].issym(), found["link"].linkname) == (True, "b/1")
    assert (found["c"].islnk(), found["c"].linkname) == (True, "a")


def test_the_dockerfile_and_the_ignore_file_are_sent_though_they_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/web").write_text("FROM x\n")
    (tmp_path / ".dockerignore").write_text("*\n")
    (tmp_path / "other").write_text("")
    found = members(BuildContext.of(BuildRequest(context=str(tmp_path), tag="t", dockerfile="docker/web")))
    assert set(found) == {".dockerignore", "docker/web"}


def test_an_inline_dockerfile_is_sent_and_kept_out_of_the_image(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("*.log\n")
    context = BuildContext.of(BuildRequest(context=str(tmp_path), tag="t", dockerfile_inline="FROM x\n"))
    assert context.dockerfile in members(context)
    assert context.extra[".dockerignore"] == f"*.log\n\n{context.dockerfile}\n".encode()


def test_a_file_that_cannot_be_archived_is_left_out(tmp_path: Path) -> None:
    import socket

    (tmp_path / "Dockerfile").write_text("FROM x\n")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.sock"))
        assert set(members(BuildContext.of(BuildRequest(context=str(tmp_path), tag="t")))) == {"Dockerfile"}


def test_a_dockerfile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="Dockerfile cannot be read") as caught:
        need_of(BuildRequest(context=str(tmp_path), tag="t"))
    assert "build.dockerfile" in caught.value.hint


def vertex(digest: str, name: str, **fields: object) -> str:
    return json.dumps({"vertexes": [{"digest": digest, "name": name, **fields}]})


def test_buildkits_json_is_read_as_steps() -> None:
    told: list[Progress] = []
    log = BuildLog("app:1", told.append)
    reader = JsonProgress(log)
    data = base64.b64encode(b"one\ntwo\n").decode()
    lines = [
        vertex("i", "[internal] load build definition", started="x"),
        vertex("1", "[base 1/2] FROM x", started="x"),
        vertex("2", "[base 2/2] RUN make"),
        vertex("2", "[base 2/2] RUN make", started="x"),
        json.dumps({"logs": [{"vertex": "2", "data": data}]}),
        vertex("2", "[base 2/2] RUN make", started="x", error="exit code: 2"),
    ]
    assert all(reader.read(line) for line in lines)
    assert not reader.read("ERROR: failed to solve: exit code: 2")
    assert [item.text for item in told] == ["FROM x", "RUN make", "one", "two"]
    assert told[-1] == Progress("step base 2/2", "two", 2, 2, "steps")
    error = log.failure("failed to solve: exit code: 2")
    assert error.message == "the build of app:1 failed at step base 2/2: `RUN make` exited with code 2"
    assert error.details == ("one", "two")


def test_buildkits_plain_text_is_read_as_steps() -> None:
    told: list[Progress] = []
    log = BuildLog("app:1", told.append)
    reader = PlainProgress(log)
    text = (
        "#1 [internal] load build definition from Dockerfile\n#1 transferring dockerfile: 2B\n#1 DONE 0.0s\n"
        "\n#4 [1/3] FROM docker.io/library/x\n#4 CACHED\n\n#5 [2/3] RUN make\n#5 0.123 one\n#5 DONE 0.2s\n"
        "#6 [3/3] RUN test\n#6 0.1 bad\n#6 ERROR: process did not complete successfully: exit code: 9\n"
    )
    assert all(reader.read(f"{line}\n") for line in text.splitlines())
    assert not reader.read("ERROR: failed to solve\n")
    assert "one" in [item.text for item in told]
    assert log.result("sha256:1", "buildx").cached_steps == 1
    assert "step 3/3: `RUN test` exited with code 9" in log.failure("x").message


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            "failed to solve: dockerfile parse error on line 3: unknown instruction: X",
            "line 3 of the Dockerfile",
        ),
        (
            "failed to build: failed to solve: rpc error: code = Unknown desc = failed to solve with "
            "frontend dockerfile.v0: something odd",
            "failed: something odd",
        ),
        (
            "unsupported frontend capability moby.buildkit.frontend.contexts",
            "`build.additional_contexts` needs a newer BuildKit",
        ),
    ],
)
def test_a_failure_is_told_without_the_builders_wrapping(message: str, words: str) -> None:
    assert words in BuildLog("app:1", lambda progress: None).failure(message).message


def test_a_step_that_ran_out_of_memory_says_so() -> None:
    log = BuildLog("app:1", lambda progress: None)
    log.plan("1", "2/2", "RUN make")
    log.fail("1", "process did not complete successfully: exit code: 137", "[2/2] RUN make")
    assert "memory" in log.failure("x").hint
