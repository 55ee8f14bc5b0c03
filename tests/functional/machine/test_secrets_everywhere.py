"""Marked secrets in every place that a Compose file has. Every task runs, and none of them may show one: not
on stdout or stderr, in an argument of a process, or in a file that is written.

The tasks come from the collection itself: a new one is run too, with "web" for a service and "x" for other
positional arguments.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from invoke_devstack.tasks import catalogue
from invoke_devstack.tasks.declare import Declaration
from tests.functional.conftest import BUSYBOX, Project

PLACES = re.findall(
    r"\w+",
    """env_map env_list env_file dotenv dotenv_plain_name command entrypoint healthcheck label annotation
    build_arg build_arg_plain build_label inline_dockerfile secret_file secret_env config url_context url_env
    url_label x_top x_service x_devstack logging driver_opts network_label volume_label hostname extra_host
    post_start watch_exec disabled deploy_label json_text query redis_flag mysql_login""",
)
MARKS = {place: f"Mk{number:02d}+{place[:4]}/$q" for number, place in enumerate(PLACES)}
"""With characters that URLs, JSON, shells and Compose files spell in other ways."""

COMPOSE = """
    x-shared: {api_token: "<x_top>"}
    services:
      web:
        build:
          context: ./ctx
          args: {NPM_TOKEN: "<build_arg>", PLAIN: "${VAR_BUILD_ARG_PLAIN_TOKEN}"}
          labels: {plain: "${VAR_BUILD_LABEL_TOKEN}"}
          secrets: [from_env]
        init: true
        entrypoint: [sh, -c, "exec sleep 600; : --token=<entrypoint>"]
        command: ["--password", "<command>", "${VAR_DOTENV_TOKEN}"]
        environment:
          DB_PASSWORD: "<env_map>"
          INNOCENT: "x${VAR_DOTENV_TOKEN}x"
          PLAIN_PASSWORD: "${PLAIN_NAME}"
          DATABASE_URL: "mysql://user:<url:url_env>@db:3306/x"
          NESTED: '{"password": "<json_text>"}'
          HOOK: "https://example.org/?access_token=<url:query>&a=b"
        env_file: [web.env]
        labels: {plain: "${VAR_LABEL_TOKEN}", proxy: "http://u:<url:url_label>@proxy:1"}
        annotations: {plain: "${VAR_ANNOTATION_TOKEN}"}
        hostname: "h-${VAR_HOSTNAME_TOKEN}"
        extra_hosts: ["h-${VAR_EXTRA_HOST_TOKEN}:10.0.0.1"]
        logging: {driver: json-file, options: {tag: "${VAR_LOGGING_TOKEN}"}}
        healthcheck: {test: "true ${VAR_HEALTHCHECK_TOKEN}", interval: 1s}
        post_start: [{command: ["true", "${VAR_POST_START_TOKEN}"]}]
        develop:
          watch:
            - {action: sync+exec, path: ./ctx, target: /x, exec: {command: "true ${VAR_WATCH_EXEC_TOKEN}"}}
        deploy: {labels: {token: "<deploy_label>"}}
        secrets: [from_file, from_env]
        configs: [conf]
        x-own: {credentials: {pass: "<x_service>"}}
        x-devstack: {connect: [mysql]}
        depends_on: [cache]
      cache:
        image: IMAGE
        init: true
        command: ["sh", "-c", "exec sleep 600; : --requirepass <redis_flag>"]
        environment: ["API_TOKEN=<env_list>"]
        volumes: ["data:/data"]
        networks: [back]
      mysql:
        image: IMAGE
        init: true
        command: sleep 600
        environment: {MYSQL_PASSWORD: "<x_devstack>", MYSQL_USER: app}
        healthcheck: {test: "true || mysqladmin ping -u root '-p<mysql_login>'", interval: 1s}
        expose: ["3306"]
      broken:
        build:
          context: ./ctx
          args: {PLAIN: "${VAR_INLINE_DOCKERFILE_TOKEN}"}
          dockerfile_inline: |
            ARG PLAIN
            FROM IMAGE_NAME
            ARG PLAIN
            RUN echo $$PLAIN && sleep 2 && false
        profiles: [broken]
      remote:
        build: {context: "https://u:<url:url_context>@127.0.0.1:9/x.git"}
        profiles: [remote]
      hidden:
        image: IMAGE
        environment: {SECRET_KEY: "<disabled>"}
        profiles: [hidden]
    networks:
      back: {labels: {token: "<network_label>"}}
    volumes:
      data: {labels: {token: "<volume_label>"}}
      share: {driver_opts: {type: cifs, o: "username=u,password=<plain:driver_opts>", device: "//x/y"}}
    secrets:
      from_file: {file: ./secret.txt}
      from_env: {environment: SECRET_OF_BUILD}
    configs:
      conf: {content: "user: x\\npassword: <config>\\n"}
"""
NOT_IN_CONFIG = {
    *("secret_file", "secret_env"),  # the contents of secrets
    *("disabled", "inline_dockerfile", "url_context"),  # of other profiles
    "driver_opts",  # of a volume that nothing uses
}
EVERY = {**catalogue.every()}
ARGUMENTS: dict[str, list[tuple[str, ...]]] = {
    "build": [("-s", "web"), ("-s", "broken"), ("-s", "remote")],
    "config": [
        (),
        ("--format", "json"),
        *(
            ("--explain", key)
            for key in ("VAR_DOTENV_TOKEN", "PLAIN_NAME", "services", "secrets", "x-shared")
        ),
        ("--explain", "services.web.environment.INNOCENT"),
        *((f"--{part}",) for part in ("services", "images", "volumes", "profiles", "hash")),
    ],
    "cp": [("web:/etc/passwd", "copied"), ("<env_map>", "web:/nowhere")],
    "agents.init": [("--for", "agents", "--dry-run")],
    "down": [()],
    "events": [("--since", "10m", "--until", "0s")],
    "exec": [("web", "-e", "X_TOKEN=<env_map>", "--", "true"), ("web", "--", "no-such", "<env_map>")],
    "graph": [(), *(("--format", style) for style in ("svg", "mermaid"))],
    "kill": [("-s", "cache")],
    "rm": [("-s", "cache", "--yes")],
    "run": [
        ("cache", "-e", "X_TOKEN=<env_map>", "--", "true"),
        ("cache", "--user", "<env_map>", "--", "true"),
    ],
    "snapshot": [("cache", "--name", "s")],
    "snapshots.export": [("s", "s.tar")],
    "snapshots.import": [("s.tar",)],
    "snapshots.rm": [("s", "--yes")],
    "restore": [("cache", "s", "--yes")],
    "reset": [("-s", "cache", "--yes")],
    "stats": [("--no-stream",)],
    "up": [
        ("--detach", "--force-recreate"),
        ("--detach", "--dry-run"),
        ("--detach", "--dry-run", "--explain"),
    ],
    "wait": [("-s", "broken")],
    "images.rm": [("-s", "web", "--yes")],
    "images.prune": [("--yes",)],
}
LAST = (
    "stop",
    "start",
    "restart",
    "kill",
    "up",
    "rm",
    "images.rm",
    "images.prune",
    "snapshots.rm",
    "reset",
    "down",
)
NOT_RUN = {
    "env": "prints connection strings with their passwords: its purpose",
    "setup": "changes the machine",
    "init": "writes Compose files into a folder without any",
    "open": "opens a browser",
    "shell": "is the user's own session",
    "connect": "is the user's own session",
    "export": "writes the container's files: its purpose",
    "attach": "goes on until the container ends; what it prints is the service's own",
    "deploy.export": "writes what the services are given into files: its purpose",
    "dashboard": "serves until Ctrl-C; what it answers is looked at in tests/functional/dashboard",
    "mcp": "serves a client; what it answers is looked at in tests/functional/agents",
    "watch": "goes on until Ctrl-C; its events are those of `up`",
}


def filled(text: str) -> str:
    for place, mark in MARKS.items():
        text = text.replace(f"<plain:{place}>", mark).replace(f"<url:{place}>", quote(mark, safe=""))
        text = text.replace(f"<{place}>", mark)
    return text


def in_compose(text: str) -> str:
    for place, mark in MARKS.items():
        text = text.replace(f"<plain:{place}>", mark.replace("$", "$$"))
        text = text.replace(f"<url:{place}>", quote(mark, safe="")).replace(
            f"<{place}>", mark.replace("$", "$$")
        )
    return text


@pytest.fixture
def marked(new_project: Callable[..., Project], tmp_path: Path) -> Project:
    project = new_project(in_compose(COMPOSE.replace("IMAGE_NAME", BUSYBOX)))
    project.write(
        "ctx/Dockerfile", f"FROM {BUSYBOX}\nARG NPM_TOKEN\nARG PLAIN\nRUN echo got $PLAIN $NPM_TOKEN\n"
    )
    project.write("web.env", f"FILE_PASSWORD='{MARKS['env_file']}'\n")
    project.write("secret.txt", MARKS["secret_file"])
    lines = [f"VAR_{place.upper()}_TOKEN='{mark}'" for place, mark in MARKS.items()]
    project.write(".env", "\n".join([*lines, f"PLAIN_NAME='{MARKS['dotenv_plain_name']}'", ""]))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    project.variables |= {
        "SECRET_OF_BUILD": MARKS["secret_env"],
        "BUILDX_CONFIG": str(scratch),
        "TMPDIR": str(scratch),
        "XDG_RUNTIME_DIR": str(scratch),
    }
    return project


def spellings(mark: str) -> Iterator[str]:
    yield from (mark, json.dumps(mark)[1:-1], mark.replace("$", "$$"), quote(mark), quote(mark, safe=""))
    yield base64.b64encode(mark.encode()).decode().rstrip("=")


def shown_in(text: str) -> list[str]:
    return [place for place, mark in MARKS.items() if any(spelled in text for spelled in spellings(mark))]


class Processes:
    """The arguments of all processes of this machine, but not of containers, while it is open."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._own = Path("/proc/self/ns/pid").readlink()

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.03):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    if (folder / "ns" / "pid").readlink() == self._own:
                        words = (folder / "cmdline").read_bytes()
                        self.seen.add(words.replace(b"\0", b" ").decode(errors="replace"))
                except OSError:  # it has ended
                    continue


def calls(name: str, declared: Declaration) -> Iterator[tuple[str, ...]]:
    defaults = [tuple("web" if word == "service" else "x" for word in declared.positional)]
    for words in ARGUMENTS.get(name, defaults):
        cut = words.index("--") if "--" in words else len(words)
        if declared.explains and "--explain" not in words:
            yield (name, *words[:cut], "--explain", *words[cut:])
        else:
            yield (name, *words)
        if declared.json:
            yield (name, *words[:cut], "--json", *words[cut:])


def in_order() -> list[str]:
    first = [name for name in EVERY if name not in LAST]
    return [*first, *(name for name in LAST if name in EVERY)]


@pytest.mark.timeout(1200)
def test_no_task_shows_a_secret_wherever_the_files_have_it(marked: Project) -> None:
    whole = marked.invoke("config", "--show-secrets").out
    assert {*PLACES} - {*shown_in(whole)} == NOT_IN_CONFIG
    found: list[tuple[tuple[str, ...], list[str], str]] = []
    with Processes() as processes:
        assert _run(marked, ("up", "--detach", "--explain", "--json"), found) == 0
        for name in in_order():
            for words in calls(name, EVERY[name]) if name not in NOT_RUN else ():
                _run(marked, words, found)
    assert not found, found[0]
    assert any("up --detach" in item for item in processes.seen)
    assert not [item for item in processes.seen if shown_in(item) and not _is_typed(item)]
    written = [*marked.directory.rglob("*"), *Path(marked.variables["TMPDIR"]).rglob("*")]
    sources = {"compose.yaml", ".env", "web.env", "secret.txt"}
    for path in written:
        if path.is_file() and path.name not in sources:
            assert not shown_in(path.read_bytes().decode(errors="replace")), path


def _is_typed(process: str) -> bool:
    """Whether it is `invoke` itself, with the words that this test types."""
    return any(word.endswith("/invoke") for word in process.split(" ")[:2])


def _run(
    project: Project, words: tuple[str, ...], found: list[tuple[tuple[str, ...], list[str], str]]
) -> int:
    """Its exit code. Adds to `found` what it showed."""
    ended = project.invoke(*map(filled, words), timeout=180)
    text = ended.out + ended.err
    assert "unexpected" not in ended.err, (words, ended.err)
    shown = shown_in(text)
    print(ended.code, *words, *shown)
    if shown:
        lines = [line for line in text.splitlines() if shown_in(line)]
        found.append((words, shown, "\n".join(line[:600] for line in lines[:5])))
    return ended.code
