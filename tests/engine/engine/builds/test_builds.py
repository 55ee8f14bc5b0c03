"""Builds on real engines, with both builders."""

from __future__ import annotations

import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from invoke_devstack.engine.builds.buildx import build_with_buildx, find_buildx
from invoke_devstack.engine.builds.classic import build_classic
from invoke_devstack.engine.cancellation import Cancellation
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.engine.protocol import BuildResult, Progress
from invoke_devstack.errors import BuildError, EngineError
from invoke_devstack.planning.plan import BuildRequest

Build = Callable[..., BuildResult]


def quiet(progress: Progress) -> None:
    return


@pytest.fixture(params=["buildx", "classic"])
def build(request: pytest.FixtureRequest, engine: DockerEngine) -> Build:
    """Builds with one of the two builders."""
    if request.param == "classic":
        return lambda asked, told=quiet: build_classic(engine._api, asked, told, Cancellation())
    plugin = find_buildx()
    if plugin is None:
        pytest.skip("there is no docker buildx here")
    return lambda asked, told=quiet: build_with_buildx(plugin, engine.endpoint, asked, told, Cancellation())


@pytest.fixture
def context(tmp_path: Path, busybox: str) -> Path:
    """A folder with a Dockerfile of three steps."""
    (tmp_path / "Dockerfile").write_text(f"FROM {busybox}\nRUN echo $((6*7)) > /answer\nCOPY . /app\n")
    (tmp_path / "main.txt").write_text("one")
    return tmp_path


@pytest.fixture
def asked(engine: DockerEngine, context: Path) -> Iterator[BuildRequest]:
    tag = f"devstack-test/build-{uuid.uuid4().hex[:8]}:1"
    yield BuildRequest(context=str(context), tag=tag)
    if engine.find_image(tag) is not None:
        engine.remove_image(tag, force=True)


def content_of(engine: DockerEngine, image: str, command: str) -> bytes:
    made = engine.create_container("", {"Image": image, "Cmd": ["sh", "-c", command]})
    try:
        engine.start(made)
        engine.wait(made)
        return b"".join(block for _, block in engine.logs(made))
    finally:
        engine.remove_container(made, force=True)


def test_a_build_makes_the_image_and_tells_its_steps(
    engine: DockerEngine, build: Build, asked: BuildRequest
) -> None:
    told: list[Progress] = []
    result = build(asked, told.append)
    image = engine.find_image(asked.tag)
    assert image is not None
    assert image.id == result.image_id
    assert result.steps == 3
    assert next(item.done for item in told if item.item.startswith("step 3/")) == 3
    assert any(item.text.startswith("RUN echo") for item in told)
    assert content_of(engine, asked.tag, "cat /answer /app/main.txt") == b"42\none"


def test_what_did_not_change_comes_from_the_cache(build: Build, asked: BuildRequest) -> None:
    first = build(asked)
    told: list[Progress] = []
    second = build(asked, told.append)
    assert second.image_id == first.image_id
    assert second.cached_steps == 2
    assert any(item.text.endswith("(cached)") for item in told)
    (Path(asked.context) / "main.txt").write_text("two")
    third = build(asked)
    assert third.image_id != first.image_id
    assert third.cached_steps == 1


def test_a_file_that_was_touched_alone_comes_from_the_cache(build: Build, asked: BuildRequest) -> None:
    first = build(asked)
    (Path(asked.context) / "main.txt").touch()
    assert build(asked).image_id == first.image_id


def test_ignored_files_stay_out_and_exceptions_come_back(
    engine: DockerEngine, build: Build, asked: BuildRequest, context: Path
) -> None:
    (context / ".dockerignore").write_text("*\n!keep\n!deep/**/in.txt\nkeep/secret\n")
    for name in ("keep/a", "keep/secret", "deep/er/in.txt", "deep/er/out.txt", "other"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text("x")
    build(asked)
    found = content_of(engine, asked.tag, "cd /app && find . -type f | sort")
    assert found == b"./deep/er/in.txt\n./keep/a\n"


def test_an_ignore_file_of_the_dockerfiles_own_goes_before_the_common_one(
    engine: DockerEngine, build: Build, asked: BuildRequest, context: Path
) -> None:
    (context / ".dockerignore").write_text("main.txt\n")
    (context / "Dockerfile.dockerignore").write_text("other.txt\n")
    (context / "other.txt").write_text("x")
    build(asked)
    found = content_of(engine, asked.tag, "ls /app")
    assert b"main.txt" in found
    assert b"other.txt" not in found


def test_modes_and_links_are_kept_and_root_owns_all(
    engine: DockerEngine, build: Build, asked: BuildRequest, context: Path
) -> None:
    (context / "run.sh").write_text("#!/bin/sh\n")
    (context / "run.sh").chmod(0o751)
    (context / "link").symlink_to("main.txt")
    (context / "empty").mkdir(mode=0o700)
    build(asked)
    listed = content_of(engine, asked.tag, "cd /app && stat -c '%n %a %u:%g' run.sh empty && readlink link")
    assert listed == b"run.sh 751 0:0\nempty 700 0:0\nmain.txt\n"


def test_an_inline_dockerfile_takes_arguments_and_a_target(
    engine: DockerEngine, build: Build, asked: BuildRequest, busybox: str
) -> None:
    stages = ("AS base\nARG WHO=nobody\nRUN echo $WHO > /who", "FROM base AS last\nRUN echo no > /who")
    text = f"FROM {busybox} " + "\n".join(stages)
    labels = {"a": "b"}
    inline = replace(asked, dockerfile_inline=text, target="base", args={"WHO": "ann"}, labels=labels)
    build(inline)
    assert content_of(engine, asked.tag, "cat /who") == b"ann\n"
    image = engine.find_image(asked.tag)
    assert image is not None
    assert image.labels["a"] == "b"


def test_a_dockerfile_from_outside_of_the_context_is_no_part_of_the_image(
    engine: DockerEngine,
    build: Build,
    asked: BuildRequest,
    tmp_path_factory: pytest.TempPathFactory,
    busybox: str,
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "Special"
    elsewhere.write_text(f"FROM {busybox}\nCOPY . /app\n")
    build(replace(asked, dockerfile=str(elsewhere)))
    assert content_of(engine, asked.tag, "ls -A /app") == b"Dockerfile\nmain.txt\n"


def test_a_failing_step_is_shown_with_the_end_of_its_output(
    build: Build, asked: BuildRequest, busybox: str
) -> None:
    text = f"FROM {busybox}\nRUN echo before\nRUN seq 100; echo broken; exit 3\n"
    with pytest.raises(BuildError, match=r"step 3/3: `RUN seq 100.*` exited with code 3") as caught:
        build(replace(asked, dockerfile_inline=text))
    assert "broken" in caught.value.details
    assert "100" in caught.value.details
    assert "1" not in caught.value.details


def test_a_command_that_the_image_lacks_has_a_hint(build: Build, asked: BuildRequest, busybox: str) -> None:
    with pytest.raises(BuildError, match="127") as caught:
        build(replace(asked, dockerfile_inline=f"FROM {busybox}\nRUN no-such-program\n"))
    assert "no such command" in caught.value.hint


def test_a_copy_of_what_is_not_there_points_at_the_context(
    build: Build, asked: BuildRequest, busybox: str
) -> None:
    with pytest.raises(BuildError, match=r"`COPY nosuch /` copies a file that is not in the build context"):
        build(replace(asked, dockerfile_inline=f"FROM {busybox}\nCOPY nosuch /\n"))


def test_a_base_image_out_of_reach_is_named(build: Build, asked: BuildRequest) -> None:
    with pytest.raises(BuildError, match=r"registry\.invalid/base:1 cannot be pulled: .* cannot be reached"):
        build(replace(asked, dockerfile_inline="FROM registry.invalid/base:1\nRUN x\n"))


def test_an_instruction_that_is_none_is_named_with_its_line(
    build: Build, asked: BuildRequest, busybox: str
) -> None:
    with pytest.raises(BuildError, match="line 2 of the Dockerfile: unknown instruction: FOO"):
        build(replace(asked, dockerfile_inline=f"FROM {busybox}\nFOO x\n"))


def test_a_folder_that_is_not_there_is_named(build: Build, asked: BuildRequest) -> None:
    with pytest.raises(BuildError, match="does not exist"):
        build(replace(asked, context=f"{asked.context}/none"))


def test_a_frontend_out_of_reach_does_not_stop_a_build(
    engine: DockerEngine, asked: BuildRequest, busybox: str
) -> None:
    text = f"# syntax=docker/dockerfile:1\nFROM {busybox}\nRUN --mount=type=cache,target=/c echo 1 > /one\n"
    assert engine.build(replace(asked, dockerfile_inline=text), on_progress=quiet).builder == "buildx"


def test_a_secret_of_the_build_is_there_for_its_step(
    engine: DockerEngine, asked: BuildRequest, busybox: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("secrets") / "secret"
    secret.write_text("hush")
    text = f"FROM {busybox}\nRUN --mount=type=secret,id=s wc -c < /run/secrets/s > /size\n"
    engine.build(replace(asked, dockerfile_inline=text, secrets=(("s", str(secret)),)), on_progress=quiet)
    assert content_of(engine, asked.tag, "cat /size").split() == [b"4"]


def test_additional_contexts_are_used_or_said_to_need_a_newer_engine(
    engine: DockerEngine, asked: BuildRequest, busybox: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("more")
    (folder / "extra.txt").write_text("more")
    text = f"FROM {busybox}\nCOPY --from=more extra.txt /extra.txt\n"
    request = replace(asked, dockerfile_inline=text, additional_contexts={"more": str(folder)})
    if engine.info().api >= (1, 42):
        engine.build(request, on_progress=quiet)
        assert content_of(engine, asked.tag, "cat /extra.txt") == b"more"
    else:
        with pytest.raises(BuildError, match=r"`build\.additional_contexts` needs a newer BuildKit"):
            engine.build(request, on_progress=quiet)


def test_what_needs_buildkit_is_named_where_there_is_none(
    engine: DockerEngine, asked: BuildRequest, busybox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoke_devstack.engine.builds.choose_builder.find_buildx", lambda: None)
    text = f"FROM {busybox}\nRUN true\nRUN --mount=type=cache,target=/c true\n"
    with pytest.raises(
        BuildError, match=r"build\.dockerfile_inline:3: `RUN --mount` needs BuildKit"
    ) as caught:
        engine.build(replace(asked, dockerfile_inline=text), on_progress=quiet)
    assert "buildx" in caught.value.hint
    with pytest.raises(BuildError, match=r"`build\.secrets` needs BuildKit"):
        engine.build(replace(asked, secrets=(("s", "/x"),)), on_progress=quiet)


@pytest.mark.parametrize("buildx", [True, False])
def test_a_build_that_says_nothing_is_given_up_at_once(
    engine: DockerEngine, asked: BuildRequest, busybox: str, buildx: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not buildx:
        monkeypatch.setattr("invoke_devstack.engine.builds.choose_builder.find_buildx", lambda: None)
    cancellation, began = Cancellation(), threading.Event()

    def told(progress: Progress) -> None:
        if "sleep" in progress.text:
            began.set()

    def cancel() -> None:
        began.wait(60)
        times.append(time.monotonic())
        cancellation.cancel()

    times: list[float] = []
    threading.Thread(target=cancel).start()
    sleeping = replace(asked, dockerfile_inline=f"FROM {busybox}\nRUN sleep 60\n")
    with pytest.raises(EngineError):
        engine.build(sleeping, on_progress=told, cancellation=cancellation)
    assert time.monotonic() - times[0] < 15  # less than the step takes


def test_our_context_and_dockers_own_share_the_cache(
    engine: DockerEngine, asked: BuildRequest, context: Path
) -> None:
    """What `docker build` built, our classic build finds in the cache."""
    (context / "sub").mkdir()
    (context / "sub/file").write_text("x")
    (context / "sub/file").chmod(0o640)
    command = ["docker", "-H", engine.endpoint.url, "build", "-q", "-t", asked.tag, "."]
    subprocess.run(command, cwd=context, env={**os.environ, "DOCKER_BUILDKIT": "0"}, check=True)
    assert build_classic(engine._api, asked, quiet, Cancellation()).cached_steps == 2


def test_a_build_that_is_all_cached_says_when_it_was_found_up_to_date(
    engine: DockerEngine, asked: BuildRequest
) -> None:
    """The watch compares files with that moment; BuildKit alone leaves no trace of it."""
    engine.build(asked, on_progress=quiet)
    before = str(engine.inspect_image(asked.tag)["Metadata"]["LastTagTime"])
    engine.build(asked, on_progress=quiet)
    after = str(engine.inspect_image(asked.tag)["Metadata"]["LastTagTime"])
    assert "0001-01-01" < before < after
