"""Pull and push against a real registry on loopback: public, private, failing, slow."""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import signal
import tarfile
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

import docker
import pytest

from tests.functional.conftest import TASKS, Ended, Project
from tests.functional.images.registries import LOGIN, Fault, Proxy, RealRegistry

SIZE = 3_000_000  # bytes of the layer that each image has for itself
TOO_MANY = json.dumps(
    {"errors": [{"code": "TOOMANYREQUESTS", "message": "You have reached your pull rate limit"}]}
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    running = RealRegistry(tmp_path_factory.mktemp("registry"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    running = RealRegistry(tmp_path_factory.mktemp("private"), private=True)
    yield running
    running.stop()


@pytest.fixture
def proxy(registry: RealRegistry) -> Iterator[Proxy]:
    between = Proxy(registry)
    yield between
    between.stop()


@pytest.fixture(scope="module")
def project(
    client: docker.DockerClient,
    busybox: str,
    registry: RealRegistry,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Project]:
    """Two services whose images were built and pushed; REGISTRY says through whom they are got."""
    name = f"t-reg-{secrets.token_hex(4)}"
    made = Project(tmp_path_factory.mktemp("project"), name, client, {"REGISTRY": registry.host})
    made.write("tasks.py", TASKS)
    made.write(
        "compose.yaml",
        f"""
        services:
          one: {{image: "${{REGISTRY}}/{name}/one:1", build: one}}
          two: {{image: "${{REGISTRY}}/{name}/two:1", build: two}}
        """,
    )
    for service in ("one", "two"):
        made.write(f"{service}/Dockerfile", f"FROM {busybox}\nCOPY big /big\n")
        (made.directory / service / "big").write_bytes(os.urandom(SIZE))
    yield made
    forget_images(made)
    made.remove_everything()


@pytest.fixture(scope="module")
def pushed(project: Project, registry: RealRegistry) -> list[dict[str, object]]:
    """The events of a push of both. Imported, not built: what a build made would stay in its cache, and
    nothing be left to pull."""
    for service in ("one", "two"):
        name = f"{registry.host}/{project.name}/{service}"
        project.client.api.import_image_from_data(
            archive(project.directory / service / "big"), repository=name, tag="1"
        )
    ended = project.invoke("push", "--json")
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def archive(file: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(file, file.name)
    return buffer.getvalue()


def forget_images(project: Project) -> None:
    """Removes all of the project's images from the engine, under whatever name."""
    for image in project.client.api.images():
        if any(f"/{project.name}/" in tag or f"/{project.name}-" in tag for tag in image["RepoTags"] or ()):
            project.client.images.remove(image["Id"], force=True)


def pull(project: Project, through: Proxy | RealRegistry, *words: str, **options: object) -> Ended:
    """`invoke pull` of both images, which are not on the engine before."""
    forget_images(project)
    project.variables["REGISTRY"] = through.host
    return project.invoke("pull", "-s", "one,two", *words)


def on_engine(project: Project, through: Proxy | RealRegistry, service: str) -> bool:
    return bool(project.client.images.list(name=f"{through.host}/{project.name}/{service}"))


def bytes_told(events: list[dict[str, object]], action: str) -> set[object]:
    """The images of which bytes were told."""
    return {item["target"] for item in events if item.get("action") == action and item.get("unit") == "bytes"}


def test_a_push_tells_layers_and_bytes_of_both_at_once(
    project: Project, pushed: list[dict[str, object]], registry: RealRegistry
) -> None:
    names = {f"{registry.host}/{project.name}/{service}:1" for service in ("one", "two")}
    assert bytes_told(pushed, "push") == names
    kinds = [
        item["type"]
        for item in pushed
        if str(item["type"]).startswith("action.") and "progress" not in str(item["type"])
    ]
    assert kinds == ["action.started", "action.started", "action.finished", "action.finished"]


@pytest.mark.usefixtures("pushed")
def test_a_pull_tells_layers_and_bytes(project: Project, registry: RealRegistry) -> None:
    ended = pull(project, registry, "--json")
    assert ended.code == 0, ended.out
    told = ended.events("action.progress")
    assert len(bytes_told(told, "pull")) == 2
    assert any(item["text"] == "Downloading" and item["total"] >= SIZE for item in told)
    assert {item["item"] for item in told if item["text"] == "Pull complete"}
    assert on_engine(project, registry, "one")
    assert on_engine(project, registry, "two")


@pytest.mark.usefixtures("pushed")
def test_pulls_run_side_by_side(project: Project, proxy: Proxy) -> None:
    proxy.bytes_per_second = SIZE // 6  # so long that the second has begun, on a busy machine too
    assert pull(project, proxy).code == 0
    blobs = {
        item.line.split("/")[3]: item
        for item in proxy.asked
        if "GET" in item.line and "/blobs/" in item.line and item.ended - item.began > 0.5
    }
    assert blobs.keys() == {"one", "two"}
    assert blobs["one"].began < blobs["two"].ended
    assert blobs["two"].began < blobs["one"].ended


@pytest.mark.usefixtures("pushed")
def test_on_a_terminal_a_slow_pull_has_bars_and_ends_at_ctrl_c(project: Project, proxy: Proxy) -> None:
    proxy.bytes_per_second = SIZE // 30
    forget_images(project)
    project.variables["REGISTRY"] = proxy.host
    with project.terminal("pull", "-s", "one,two", rows_columns=(24, 100)) as child:
        child.expect(r"pulling.*kB of \d+(\.\d+)? MB")
        began = time.monotonic()
        child.sendintr()
        assert child.end() == 130
    assert time.monotonic() - began < 15  # half of what the pull would take
    assert not on_engine(project, proxy, "one")


@pytest.mark.usefixtures("pushed")
def test_a_registry_that_stumbles_is_asked_again_and_says_so(project: Project, proxy: Proxy) -> None:
    proxy.faults.append(Fault("/one/manifests/1", 503, "busy", times=2))
    ended = pull(project, proxy)
    assert ended.code == 0, ended.err
    assert ended.err.count("retrying in") >= 1
    assert on_engine(project, proxy, "one")


@pytest.mark.usefixtures("pushed")
def test_a_layer_that_breaks_off_is_got_again(project: Project, proxy: Proxy) -> None:
    proxy.faults.append(Fault("GET /v2/" + f"{project.name}/two/blobs/", 0))
    assert pull(project, proxy).code == 0
    assert on_engine(project, proxy, "two")


@pytest.mark.usefixtures("pushed")
def test_a_push_that_stumbles_goes_on(project: Project, proxy: Proxy, registry: RealRegistry) -> None:
    assert pull(project, registry).code == 0
    for service in ("one", "two"):
        project.client.images.get(f"{registry.host}/{project.name}/{service}:1").tag(
            f"{proxy.host}/{project.name}/{service}", "1"
        )
    project.variables["REGISTRY"] = proxy.host
    proxy.faults.append(Fault(f"PUT /v2/{project.name}/one/manifests/1", 503, "busy", times=1))
    ended = project.invoke("push", "-s", "one,two")
    assert ended.code == 0, ended.err


@pytest.mark.usefixtures("pushed")
def test_a_registry_that_stays_down_ends_it_with_a_reason_and_a_hint(project: Project, proxy: Proxy) -> None:
    proxy.faults.append(Fault("/manifests/1", 503, "busy", times=99))
    ended = pull(project, proxy)
    assert ended.code == 1
    assert "has a server error" in ended.err
    assert "hint: Try again" in ended.err


@pytest.mark.usefixtures("pushed")
def test_a_rate_limit_is_named_as_one_and_is_not_asked_again(project: Project, proxy: Proxy) -> None:
    proxy.faults.append(Fault("/manifests/1", 429, TOO_MANY, times=99))
    ended = pull(project, proxy)
    assert ended.code == 1
    assert "rate limit" in ended.err
    assert re.search(r"hint:.*docker login.*devstack\.registry_mirror", " ".join(ended.err.split()))
    assert "retrying" not in ended.err


def test_an_image_that_the_registry_does_not_have(project: Project, registry: RealRegistry) -> None:
    project.write("other/compose.yaml", f'services: {{gone: {{image: "{registry.host}/no/such:7"}}}}')
    ended = project.invoke("pull", "-s", "gone")
    assert ended.code == 2  # not in this definition
    project.variables["COMPOSE_FILE"] = str(project.directory / "other/compose.yaml")
    try:
        ended = project.invoke("pull", "-s", "gone")
    finally:
        del project.variables["COMPOSE_FILE"]
    assert ended.code == 1
    assert "no such image or tag" in ended.err


@pytest.mark.usefixtures("pushed")
def test_docker_hubs_images_come_through_the_mirror_that_is_set(
    project: Project, registry: RealRegistry
) -> None:
    project.variables["REGISTRY"] = registry.host
    image = f"{project.name}-hub"
    pushed = project.invoke("build", "-s", "one", "--tag", f"{registry.host}/library/{image}:1", "--push")
    assert pushed.code == 0, pushed.err
    forget_images(project)
    project.write("hub/compose.yaml", f"services: {{hub: {{image: '{image}:1'}}}}")
    project.variables["COMPOSE_FILE"] = str(project.directory / "hub/compose.yaml")
    project.variables["INVOKE_DEVSTACK_REGISTRY_MIRROR"] = registry.host
    try:
        ended = project.invoke("pull")
        assert ended.code == 0, ended.err
        assert [item.tags for item in project.client.images.list(name=image)] == [[f"{image}:1"]]
    finally:
        del project.variables["COMPOSE_FILE"], project.variables["INVOKE_DEVSTACK_REGISTRY_MIRROR"]
        project.client.images.remove(f"{image}:1", force=True)


def config_with(folder: Path, content: Mapping[str, object]) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(content))
    return str(folder)


@pytest.fixture
def private_project(project: Project, private: RealRegistry, tmp_path: Path) -> Iterator[Project]:
    """The project with its images in the private registry's name, built, and no login."""
    before = dict(project.variables)
    project.variables |= {"REGISTRY": private.host, "DOCKER_CONFIG": config_with(tmp_path / "none", {})}
    assert project.invoke("build").code == 0
    yield project
    project.variables.clear()
    project.variables |= before


def test_without_a_login_a_private_registry_refuses_and_the_hint_says_how_to_log_in(
    private_project: Project, private: RealRegistry
) -> None:
    ended = private_project.invoke("push", "-s", "one")
    assert ended.code == 1
    assert "refused the login or denied access" in ended.err
    assert f"docker login {private.host}" in ended.err


def test_a_wrong_password_is_refused(private_project: Project, private: RealRegistry, tmp_path: Path) -> None:
    login = b64encode(b"ann:wrong").decode()
    auths = {"auths": {private.host: {"auth": login}}}
    private_project.variables["DOCKER_CONFIG"] = config_with(tmp_path / "wrong", auths)
    ended = private_project.invoke("push", "-s", "one")
    assert (ended.code, "docker login" in ended.err) == (1, True)


def test_logins_of_dockers_config_are_used_to_push_and_to_pull(
    private_project: Project, private: RealRegistry, tmp_path: Path
) -> None:
    login = b64encode(":".join(LOGIN).encode()).decode()
    auths = {"auths": {private.host: {"auth": login}}}
    private_project.variables["DOCKER_CONFIG"] = config_with(tmp_path / "right", auths)
    assert private_project.invoke("push").code == 0
    assert pull(private_project, private).code == 0
    assert on_engine(private_project, private, "two")


def test_a_credential_helper_is_asked(
    private_project: Project, private: RealRegistry, tmp_path: Path
) -> None:
    answer = json.dumps({"ServerURL": private.host, "Username": LOGIN[0], "Secret": LOGIN[1]})
    helper = tmp_path / "bin/docker-credential-tests"
    helper.parent.mkdir()
    helper.write_text(f"#!/bin/sh\n[ \"$1\" = get ] && echo '{answer}'\n")
    helper.chmod(0o755)
    settings = {"credHelpers": {private.host: "tests"}}
    private_project.variables |= {
        "DOCKER_CONFIG": config_with(tmp_path / "helped", settings),
        "PATH": f"{helper.parent}{os.pathsep}{private_project.environment['PATH']}",
    }
    ended = private_project.invoke("push")
    assert ended.code == 0, ended.err
    assert pull(private_project, private).code == 0


def test_a_signal_in_the_middle_of_a_push_ends_it(
    project: Project, proxy: Proxy, registry: RealRegistry
) -> None:
    project.variables["REGISTRY"] = proxy.host
    (project.directory / "one/big").write_bytes(os.urandom(SIZE))
    assert project.invoke("build", "-s", "one").code == 0
    proxy.faults.append(Fault("POST /v2/", 503, "busy", times=99))
    process = project.start("push", "-s", "one", start_new_session=True)
    while not any("POST" in item.line for item in proxy.asked):
        time.sleep(0.05)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - began < 15
