"""What is wrong in a definition is said with its file, line, column and key, and what was expected."""

from __future__ import annotations

import pytest

from tests.unit.definition.conftest import Project

NOT_MUCH = "services:\n  web:\n    image: x\n"


@pytest.mark.parametrize(
    ("text", "message", "hint", "line", "column"),
    [
        (
            NOT_MUCH + "    enviroment: {}\n",
            "unknown key `enviroment` in `services.web`",
            "Did you mean `environment`?",
            4,
            5,
        ),
        (
            "servces: {}\n",
            "unknown key `servces` at the top level of the file",
            "Did you mean `services`?",
            1,
            1,
        ),
        (
            NOT_MUCH + "    healthcheck:\n      intervall: 5s\n",
            "unknown key `intervall` in `services.web.healthcheck`",
            "Did you mean `interval`?",
            5,
            7,
        ),
        (
            NOT_MUCH + "    ports: 80\n",
            "`services.web.ports` must be a list, not a number (80)",
            "",
            4,
            12,
        ),
        (
            NOT_MUCH + "    image2: [x]\n    command: {a: b}\n",
            "unknown key `image2` in `services.web`",
            "Did you mean `image`?",
            4,
            5,
        ),
        (
            NOT_MUCH + "    command: {a: b}\n",
            "`services.web.command` must be a string, a list or empty, not a mapping",
            "",
            4,
            14,
        ),
        (
            NOT_MUCH + "    cap_add: [NET_ADMIN, 1]\n",
            "`services.web.cap_add[1]` must be a string, not a number (1)",
            "",
            4,
            26,
        ),
        (
            NOT_MUCH + "    cgroup: hots\n",
            "`services.web.cgroup` must be `host` or `private`, not `hots`",
            "Did you mean `host`?",
            4,
            13,
        ),
        (
            NOT_MUCH + "    cpu_percent: 101\n",
            "`services.web.cpu_percent` must be at most 100, but is 101",
            "",
            4,
            18,
        ),
        (
            NOT_MUCH + "    depends_on: {db: {}}\n",
            "`services.web.depends_on.db` needs `condition`",
            "Add `condition: …` below `services.web.depends_on.db`.",
            4,
            22,
        ),
        (
            NOT_MUCH + "    stop_grace_period: soon\n",
            "`services.web.stop_grace_period`: invalid duration `soon`; write 10s, 1m30s or 500ms",
            "",
            4,
            24,
        ),
        (
            NOT_MUCH + "    mem_limit: lots\n",
            "`services.web.mem_limit`: invalid size `lots`; write 64m, 1.5gb or a number of bytes",
            "",
            4,
            16,
        ),
        (
            NOT_MUCH + "    read_only: maybe\n",
            "`services.web.read_only`: invalid boolean `maybe`; write true or false",
            "",
            4,
            16,
        ),
        (
            NOT_MUCH + "    depends_on: [databse]\n  database: {image: y}\n",
            "service `web` depends on `databse`, which is not defined",
            "Did you mean `database`?",
            4,
            18,
        ),
        (
            NOT_MUCH + "    volumes: ['data:/data']\n",
            "service `web` uses the volume `data`, which is not declared",
            "Declare it at the top level of the file: `volumes: {data: …}`",
            4,
            15,
        ),
        (
            NOT_MUCH + "    networks: [front]\nnetworks: {frnt: }\n",
            "service `web` uses the network `front`, which is not declared",
            "Did you mean `frnt`?",
            4,
            16,
        ),
        (
            NOT_MUCH + "    secrets: [token]\n",
            "service `web` uses the secret `token`, which is not declared",
            "Declare it at the top level of the file: `secrets: {token: …}`",
            4,
            15,
        ),
        (
            "services:\n  web:\n    ports: ['80']\n",
            "service `web` has neither `image` nor `build`",
            "Add `image` with the image to run, or `build` with the directory to build it from.",
            3,
            5,
        ),
        (
            NOT_MUCH + "    network_mode: host\n    networks: [default]\n",
            "service `web` has both `network_mode` and `networks`",
            "Keep one of them.",
            4,
            19,
        ),
        (
            NOT_MUCH + "    container_name: only-one\n    scale: 2\n",
            "service `web` cannot have 2 containers with one `container_name`",
            "Remove `container_name`.",
            4,
            21,
        ),
        (
            NOT_MUCH + "    healthcheck: {test: [curl, localhost]}\n",
            "the healthcheck of service `web` starts with `curl`",
            'Start the list with "CMD", "CMD-SHELL" or "NONE", or write the command as one string.',
            4,
            25,
        ),
        (
            NOT_MUCH + "    tmpfs: /a\n    volumes: ['/b:/a']\n",
            "`services.web.tmpfs[0]` and `services.web.volumes[0]` have the same target, `/a`",
            "",
            5,
            15,
        ),
        (
            NOT_MUCH + "    develop: {watch: [{path: ., action: sync}]}\n",
            "`services.web.develop.watch[0]` needs a `target`",
            "Add the path in the container to copy files to.",
            4,
            23,
        ),
        (
            NOT_MUCH + "volumes: {v: {external: true, driver: local}}\n",
            "`volumes.v` is external, so it cannot have `driver`",
            "Keep only `external` and `name`.",
            4,
            39,
        ),
        (NOT_MUCH + "networks: {'': ''}\n", "`networks.` must be a mapping, not a string ('')", "", 4, 16),
        (NOT_MUCH + "secrets: {s: {}}\n", "`secrets.s` needs `file` or `environment`", "", 4, 14),
        (
            "- a\n",
            "the file must be a mapping, not a list",
            "Start it with `services:`, and indent the services below that.",
            1,
            1,
        ),
        ("", "the file is empty", "Start it with `services:`, and indent the services below that.", 1, 1),
        (
            "services:\n  'not good':\n    image: x\n",
            "invalid name `not good` in `services`",
            "Use letters, digits, `.`, `_` and `-`.",
            2,
            3,
        ),
        (
            NOT_MUCH + "    deploy: {replicas: 3}\n    scale: 2\n",
            "service `web` has different values in `scale` and `deploy.replicas`",
            "Keep one of them.",
            5,
            12,
        ),
        (
            NOT_MUCH + "    environment: ['A =1']\n",
            "`services.web.environment`: remove the space before `=` in `A =`",
            "",
            4,
            18,
        ),
    ],
)
def test_an_error_says_what_where_and_what_to_do(
    project: Project, text: str, message: str, hint: str, line: int, column: int
) -> None:
    error = project.error(text)

    assert error.message == message
    assert error.hint.startswith(hint)
    assert error.position is not None
    assert (error.position.line, error.position.column) == (line, column)
    assert error.position.file == project.folder / "compose.yaml"


def test_a_cycle_of_services_is_shown_as_its_path(project: Project) -> None:
    error = project.error(
        "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, links: [c]}\n"
        "  c: {image: x, network_mode: 'service:a'}\n"
    )

    assert error.message == "circular dependency: a -> b -> c -> a"
    assert error.position is not None
    assert error.position.key == "services.a.depends_on.b"


def test_a_chain_of_thousands_of_services_is_no_cycle(project: Project) -> None:
    chain = "".join(f"  s{n}: {{image: x, depends_on: [s{n + 1}]}}\n" for n in range(2000))
    definition = project.load(f"services:\n{chain}  s2000: {{image: x}}\n")

    assert len(definition.services) == 2001


def test_an_error_in_an_override_names_the_override(project: Project) -> None:
    project.write({"compose.override.yaml": "services:\n  web:\n    imagee: y\n"})
    error = project.error(NOT_MUCH)

    assert error.position is not None
    assert error.position.file.name == "compose.override.yaml"
    assert error.position.line == 3


def test_yaml_that_does_not_parse_shows_the_line(project: Project) -> None:
    error = project.error("services:\n  web:\n   image: x\n  ports: [80\n")

    assert error.message.startswith("invalid YAML")
    assert error.position is not None
    assert error.position.line == 5 or error.details


@pytest.mark.parametrize("key", ["pre_start", "post_start", "pre_stop"])
def test_hooks_are_read(project: Project, key: str) -> None:
    service = project.service(f"{key}: [{{command: echo hi, user: root, environment: [A=1]}}]")
    hook = getattr(service, key)[0]

    assert (hook.command, hook.user, hook.environment) == (("echo", "hi"), "root", {"A": "1"})
