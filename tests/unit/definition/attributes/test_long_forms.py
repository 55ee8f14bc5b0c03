"""Every attribute has one form in the model, whatever form it was written in."""

from __future__ import annotations

from typing import Any

import pytest

from invoke_devstack.definition.attributes.decode import InvalidValueError, octal_mode
from invoke_devstack.definition.syntax.command_words import split_words
from invoke_devstack.definition.syntax.scalars import json_float, single_precision, to_text
from invoke_devstack.definition.syntax.units import Bytes, Seconds, parse_nanoseconds, parse_size
from invoke_devstack.errors import DefinitionError
from tests.unit.definition.conftest import Project


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("80", [(80, None, None, "tcp")]),
        ("8080:80", [(80, "8080", None, "tcp")]),
        ("127.0.0.1:8080:80/udp", [(80, "8080", "127.0.0.1", "udp")]),
        ("127.0.0.1::80", [(80, None, "127.0.0.1", "tcp")]),
        ("80/udp/tcp", [(80, None, None, "udp")]),  # as in Compose, whatever else follows
        ("80//udp", [(80, None, None, "tcp")]),
        ("[::1]:80:80", [(80, "80", "::1", "tcp")]),
        ("3000-3001", [(3000, None, None, "tcp"), (3001, None, None, "tcp")]),
        ("8000-8001:80-81", [(80, "8000", None, "tcp"), (81, "8001", None, "tcp")]),
        ("8000-8010:80", [(80, "8000-8010", None, "tcp")]),
        ("9999-10000:9999-10000", [(10000, "10000", None, "tcp"), (9999, "9999", None, "tcp")]),
    ],
)
def test_a_port_in_short_form_is_written_out(project: Project, text: str, ports: list[Any]) -> None:
    found = project.service(f"ports: ['{text}']").ports

    assert [(port.target, port.published, port.host_ip, port.protocol) for port in found] == ports
    assert {port.mode for port in found} == {"ingress"}


@pytest.mark.parametrize(
    "text", ["a:80", "8080:", "70000:80", "80-70", "1-3:1-2", "80/xyz", "1.2.3:80:80", "", "1:2:3:4"]
)
def test_a_port_that_is_none_is_refused_with_its_place(project: Project, text: str) -> None:
    error = project.error(f"services: {{web: {{image: x, ports: ['{text}']}}}}")

    assert error.position is not None
    assert error.position.key == "services.web.ports[0]"


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("data:/data", {"type": "volume", "source": "data", "target": "/data", "read_only": False}),
        ("data:/data:ro", {"type": "volume", "source": "data", "target": "/data", "read_only": True}),
        ("/anonymous", {"type": "volume", "source": None, "target": "/anonymous"}),
        ("/host:/in/:rw", {"type": "bind", "source": "/host", "target": "/in"}),
        ("~/x:/in", {"type": "bind", "source": "/home/somebody/x", "target": "/in"}),
        ("c:\\x:/in", {"type": "bind", "source": "c:\\x", "target": "/in"}),
    ],
)
def test_a_mount_in_short_form_is_written_out(project: Project, text: str, mount: dict[str, Any]) -> None:
    definition = project.load(f"services: {{web: {{image: x, volumes: ['{text}']}}}}\nvolumes: {{data: }}")
    found = definition.services["web"].volumes[0]

    assert {key: getattr(found, key) for key in mount} == mount


def test_the_options_of_a_mount_are_written_out(project: Project) -> None:
    mount = project.service("volumes: ['./a:/a:ro,z,rshared']").volumes[0]

    assert mount.source == str(project.folder / "a")
    assert mount.bind is not None
    assert (mount.bind.selinux, mount.bind.propagation, mount.bind.create_host_path) == ("z", "rshared", True)


SHORT = """
services:
  web:
    image: x
    environment: [A=1]
    labels: [a=b]
    depends_on: [db]
    networks: [n]
    dns: 1.1.1.1
    devices: [/dev/a]
    secrets: [s]
    healthcheck: {test: exit 0}
    build: .
    gpus: all
    env_file: e.env
    tmpfs: /run
  db: {image: y}
networks: {n: }
secrets: {s: {file: ./s}}
"""
LONG = """
services:
  web:
    image: x
    environment: {A: 1}
    labels: {a: b}
    depends_on: {db: {condition: service_started}}
    networks: {n: }
    dns: [1.1.1.1]
    devices: [{source: /dev/a, target: /dev/a, permissions: rwm}]
    secrets: [{source: s, target: /run/secrets/s}]
    healthcheck: {test: [CMD-SHELL, exit 0]}
    build: {context: ., dockerfile: Dockerfile}
    gpus: [{count: all}]
    env_file: [{path: e.env, required: true}]
    tmpfs: [/run]
  db: {image: y}
networks: {n: }
secrets: {s: {file: ./s}}
"""


def test_short_forms_and_long_ones_end_up_the_same(project: Project) -> None:
    project.write({"e.env": ""})

    assert project.load(SHORT).services == project.load(LONG).services


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo  hi\tthere", ["echo", "hi", "there"]),
        ("sh -c 'a \"b\"; c'", ["sh", "-c", 'a "b"; c']),
        ('a "b\\"c" d\\ e', ["a", 'b"c', "d e"]),
        ("a '' b", ["a", "", "b"]),
        ("a && b", ["a"]),
        ("a > b", ["a"]),
        ("x 2>err", ["x"]),
        ("$(a b) c", ["$(a b)", "c"]),
        ("`a b` c", ["`a b`", "c"]),
        ("", []),
    ],
)
def test_a_command_in_one_text_is_split_as_compose_splits_it(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize("text", ["a 'b", 'a "b', "a\\", "a(b)", "$(a", "`a"])
def test_a_command_with_something_left_open_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unclosed|in quotes"):
        split_words(text)


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("10s", 10, "10s"),
        ("1m30s", 90, "1m30s"),
        ("90s", 90, "1m30s"),
        ("1.5h", 5400, "1h30m0s"),
        ("1d", 86400, "24h0m0s"),
        ("500ms", 0.5, "500ms"),
        ("1.5s", 1.5, "1.5s"),
        ("3us", 3e-6, "3µs"),
        ("0", 0, "0s"),
        ("-5s", -5, "-5s"),
    ],
)
def test_a_duration_is_seconds_and_prints_as_compose_prints_it(text: str, seconds: float, shown: str) -> None:
    assert Seconds.parse(text) == seconds
    assert str(Seconds.parse(text)) == shown


@pytest.mark.parametrize("text", ["", "10", "s", "1x", "1 s", "-", "9999999999h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        parse_nanoseconds(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("64m", 64 * 2**20), ("1.5gb", 3 * 2**29), ("1 KiB", 1024), ("10b", 10), ("7", 7), (".5k", 512)],
)
def test_a_size_is_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert str(Bytes.parse(text)) == str(size)


@pytest.mark.parametrize("text", ["", "-1", "x", "1kx", "1 k b", "m"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid size"):
        parse_size(text)


def test_a_file_mode_is_octal() -> None:
    assert (octal_mode("440"), octal_mode(0o440)) == ("0440", "0440")
    with pytest.raises(InvalidValueError):
        octal_mode("9")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (1e8, "1e+08"), (1.5, "1.5"), (1e-7, "1e-07"), (1e21, "1e+21"), (True, "true")],
)
def test_a_scalar_becomes_a_text_as_in_go(value: Any, text: str) -> None:
    assert to_text(value) == text


def test_floats_are_those_of_go() -> None:
    assert json_float(1e8) == "100000000"
    assert json_float(1e-7) == "1e-7"
    assert single_precision(0.123456789) == 0.12345679
    assert single_precision(0.1) == 0.1


def test_names_and_counts_are_as_compose_has_them(project: Project) -> None:
    service = project.service("deploy: {replicas: 3}")

    assert service.scale_count() == 3
    assert project.service("scale: 2").scale_count() == 2
    assert project.service("init: true").scale_count() == 1
    assert service.image_name("p") == "x"
    built = project.load("services: {web: {build: .}}").services["web"]
    assert built.image_name("p") == "p-web"


def test_what_is_implied_is_written_out(project: Project) -> None:
    definition = project.load(
        "services: {one: {image: x, links: ['two:alias'], network_mode: 'service:two'}, two: {image: x}}\n"
    )
    one = definition.services["one"]

    assert one.depends_on["two"].restart is True
    assert definition.networks["default"].name == "proj_default"
    assert one.networks == {}
    assert list(project.service("networks: {}").networks) == ["default"]


def test_what_belongs_to_a_swarm_or_a_provider_is_named(project: Project) -> None:
    definition = project.load(
        """
services:
  web:
    image: x
    deploy: {mode: global, placement: {constraints: [a]}, update_config: {order: stop-first}}
    secrets: [s]
  p: {provider: {type: x}}
secrets: {s: {external: true}}
"""
    )

    assert definition.not_carried_out == (
        "services.p.provider",
        "services.web.deploy.update_config",
        "services.web.deploy.placement",
        "services.web.deploy.mode",
        "secrets.s.external",
    )


def test_keys_of_one_s_own_are_kept_wherever_they_may_stand(project: Project) -> None:
    definition = project.load(
        "x-top: {a: 1}\n"
        "services: {web: {image: x, x-own: [1], healthcheck: {test: a, x-why: b}}}\n"
        "volumes: {v: {x-v: 1}}"
    )

    assert definition.extensions == {"x-top": {"a": 1}}
    assert definition.services["web"].extensions == {"x-own": [1]}
    assert definition.services["web"].healthcheck is not None
    assert definition.services["web"].healthcheck.extensions == {"x-why": "b"}


def test_a_secret_from_the_environment_has_its_content(project: Project) -> None:
    project.environment["TOKEN"] = "hush"
    definition = project.load(
        "services: {web: {image: x, secrets: [s], configs: [c]}}\n"
        "secrets: {s: {environment: TOKEN}}\nconfigs: {c: {content: 'a ${TOKEN}'}}"
    )

    assert definition.secrets["s"].content == "hush"
    assert definition.configs["c"].content == "a hush"
    assert "hush" not in repr(definition)


def test_what_is_read_twice_is_equal_and_cannot_be_changed(project: Project) -> None:
    first = project.load("services: {web: {image: x, environment: {A: '${HOME}'}}}")

    assert project.load() == first
    with pytest.raises(AttributeError, match="cannot be changed"):
        first.services["web"].image = "y"  # type: ignore[misc]


@pytest.mark.parametrize("value", ["1e21", "12345678901234567890123"])
def test_an_integer_of_more_than_64_bits_is_refused(project: Project, value: str) -> None:
    with pytest.raises(DefinitionError, match=r"services\.web\.cpu_count.*must be an integer of 64 bits"):
        project.load(f"services: {{web: {{image: x, cpu_count: {value}}}}}")
