"""What `config` prints: the definition as Compose has it, its hash, masks, and where values come from."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from invoke_devstack.definition import config_hash, load, to_config, to_document, to_yaml, trace
from invoke_devstack.definition.output.render import to_json
from invoke_devstack.errors import UsageError
from invoke_devstack.secrets import MASK, looks_secret
from tests.unit.definition.compose import compose_command
from tests.unit.definition.conftest import Project

EVERYTHING = (Path(__file__).parent / "every_attribute.yaml").read_text()


def test_the_hash_is_known_to_the_letter(project: Project) -> None:
    definition = project.load("services: {web: {image: redis, environment: {A: '<&> é $$'}, cpus: 0.1}}")

    assert to_json({"a": "<&>\u2028é", "b": 1.0, "c": [None, True]}) == (
        '{"a":"\\u003c\\u0026\\u003e\\u2028é","b":1,"c":[null,true]}'
    )
    assert (
        config_hash(definition, "web") == "0522395a62ee8704ac4214851399b1adc8d2a792edcf244ba5514ae403c04c74"
    )


@pytest.mark.parametrize(
    "change",
    [
        "build: .",
        "pull_policy: always",
        "scale: 2",
        "profiles: ['']",
        "deploy: {replicas: 2}",
        "depends_on: [db]",
    ],
)
def test_what_does_not_reach_the_container_is_not_in_the_hash(project: Project, change: str) -> None:
    base = "deploy: {}" if change.startswith("deploy") else "init: true"
    rest = "}, db: {image: y"
    plain = project.load(f"services: {{web: {{image: x, {base}{rest}}}}}")
    attributes = change if change.startswith("deploy") else f"{base}, {change}"
    changed = project.load(f"services: {{web: {{image: x, {attributes}{rest}}}}}", profiles=["*"])

    assert config_hash(changed, "web") == config_hash(plain, "web")


@pytest.mark.skipif(
    compose_command() is None, reason="Docker Compose is not installed: nothing to compare with"
)
def test_every_attribute_is_read_and_hashed_as_by_compose(project: Project) -> None:
    project.write({"compose.yaml": EVERYTHING, "vars.env": "FROM_FILE=1\n", "labels.env": "from.file=1\n"})
    definition = project.load(profiles=["*"])
    command = compose_command()
    assert command is not None
    output = subprocess.run(
        [command, "--profile", "*", "config", "--hash", "*"],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    hashes = dict(line.split() for line in output.splitlines())
    assert {name: config_hash(definition, name) for name in definition.services} == hashes


def test_the_yaml_of_every_attribute_reads_back_as_the_same(project: Project) -> None:
    project.write({"vars.env": "FROM_FILE=1\n", "labels.env": "from.file=1\n"})
    definition = project.load(EVERYTHING, profiles=["*"])
    text = to_yaml(to_document(definition, show_secrets=True))
    again = project.load(text, profiles=["*"])

    assert to_config(again, show_secrets=True) == to_config(definition, show_secrets=True)
    assert again.services["everything"].extensions == definition.services["everything"].extensions


@pytest.mark.parametrize(
    "text", ["no", "22:22", "0777", "1_000", "~", "", " a", "a: b", "a #b", "- a", "2001-12-14", "é\n", "<<"]
)
def test_a_text_that_yaml_could_take_for_more_survives(project: Project, text: str) -> None:
    written = to_yaml({"services": {"web": {"image": "x", "labels": {"a": text.replace("$", "$$")}}}})

    assert project.load(written).services["web"].labels == {"a": text}


def test_secrets_are_masked_unless_they_are_asked_for(project: Project) -> None:
    definition = project.load(
        "services: {web: {image: x, build: {args: {NPM_TOKEN: hush}}, configs: [c], secrets: [s],"
        " environment: {DB_PASSWORD: hush, API_TOKEN: hush, EMPTY_SECRET: '', USER: me}}}\n"
        "configs: {c: {content: hush}}\nsecrets: {s: {environment: HOME}}"
    )

    assert "hush" not in to_json(to_config(definition, show_secrets=False))
    masked = to_config(definition, show_secrets=False)["services"]["web"]["environment"]
    assert masked == {"API_TOKEN": MASK, "DB_PASSWORD": MASK, "EMPTY_SECRET": "", "USER": "me"}
    assert to_json(to_config(definition, show_secrets=True)).count("hush") == 4
    assert "content" not in to_config(definition, show_secrets=True)["secrets"]["s"]


@pytest.mark.parametrize(
    ("name", "secret"), [("MYSQL_ROOT_PASSWORD", True), ("token", True), ("USER", False)]
)
def test_a_secret_is_known_by_its_name(name: str, secret: bool) -> None:
    assert looks_secret(name) is secret


FILES = {
    "compose.yaml": "services:\n  web:\n    image: x:${TAG:-latest}\n    environment:\n      - DEBUG=$DEBUG\n"
    "      - TOKEN=hush\n    env_file: vars.env\n",
    "compose.override.yaml": "services:\n  web:\n    environment: {TOKEN: hush2}\n    stop_signal: SIGINT\n",
    ".env": "DEBUG=1\nTAG=ignored\n",
    "vars.env": "# comment\nexport LEVEL=info\n",
}


def test_a_key_is_explained_by_its_line_its_variable_and_its_env_file(project: Project) -> None:
    project.environment["TAG"] = "7"
    definition = project.write(FILES).load()
    (image,) = trace(definition, "services.web.image")
    (debug,) = trace(definition, "services.web.environment.DEBUG")

    assert (image.value, image.raw) == ("x:7", "x:${TAG:-latest}")
    assert str(image.position) == f"{project.folder / 'compose.yaml'}:3:12: services.web.image"
    assert [(item.name, item.value, item.source) for item in image.variables] == [("TAG", "7", "environment")]
    assert image.unused == (str(project.folder / ".env"),)
    assert debug.position is not None
    assert debug.position.line == 5
    assert debug.variables[0].source == str(project.folder / ".env")


def test_a_value_that_was_overridden_names_both_places(project: Project) -> None:
    definition = project.write(FILES).load()
    (token,) = trace(definition, "services.web.environment.TOKEN")

    assert token.value == MASK
    assert token.raw == ""
    assert token.position is not None
    assert token.position.file.name == "compose.override.yaml"
    assert [(place.file.name, place.line) for place in token.overridden] == [("compose.yaml", 6)]


def test_a_value_from_an_env_file_names_the_file_and_line(project: Project) -> None:
    definition = project.write(FILES).load()
    (level,) = trace(definition, "services.web.environment.LEVEL")

    assert level.value == "info"
    assert level.position is not None
    assert (level.position.file.name, level.position.line) == ("vars.env", 2)


def test_a_variable_that_a_secret_is_made_of_is_masked_whatever_its_name(project: Project) -> None:
    project.environment["WORD"] = "hush"
    definition = project.load("services: {web: {image: x, environment: {DB_PASSWORD: $WORD, SIZE: 3}}}")
    for key in ("WORD", "services.web.environment.DB_PASSWORD"):
        assert "hush" not in repr(trace(definition, key))
        assert "hush" in repr(trace(definition, key, show_secrets=True))


def test_a_variable_is_explained_by_what_set_it_and_where_it_is_used(project: Project) -> None:
    definition = project.write(FILES).load()
    found = trace(definition, "TAG")

    assert [item.key for item in found] == ["TAG", "services.web.image"]
    assert found[0].position is not None
    assert (found[0].position.file.name, found[0].position.line) == (".env", 2)


def test_a_default_that_nobody_wrote_has_no_place(project: Project) -> None:
    (network,) = trace(project.write(FILES).load(), "networks.default.name")

    assert (network.value, network.position) == ("proj_default", None)


def test_a_key_that_is_not_there_is_answered_with_the_nearest(project: Project) -> None:
    with pytest.raises(UsageError) as caught:
        trace(project.write(FILES).load(), "services.web.imge")

    assert caught.value.hint == "Did you mean `services.web.image`?"


def test_the_example_s_files_are_read_from_the_directory_above_them() -> None:
    root = Path(__file__).parents[4]
    definition = load(root, environment={"HOME": "/root"})

    assert sorted(definition.services) == ["mysql", "redis", "web"]
    assert definition.working_dir == root


@pytest.mark.skipif(
    compose_command() is None, reason="Docker Compose is not installed: nothing to compare with"
)
def test_the_example_is_what_compose_reads_from_its_files() -> None:
    root = Path(__file__).parents[4]
    definition = load(root, environment={"HOME": "/root"})
    command = compose_command()
    assert command is not None
    files = [word for file in definition.files for word in ("--file", str(file))]
    output = subprocess.run(
        [command, "--project-directory", str(root), *files, "config", "--format", "json"],
        env={"HOME": "/root"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert to_config(definition, show_secrets=True) == json.loads(output)
