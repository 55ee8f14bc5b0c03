"""Several files, `!reset`, `!override`, `extends`, `include` and fragments."""

from __future__ import annotations

from tests.unit.definition.conftest import Project

BASE = """
services:
  web:
    image: x
    command: echo base
    environment: {A: base, B: base}
    labels: [one=base]
    ports: ["8080:80"]
    volumes: [data:/data, ./base:/code]
    networks: [front]
    depends_on: [db]
    healthcheck: {test: [CMD, "true"], interval: 5s}
    logging: {driver: local, options: {a: "1"}}
  db: {image: y}
volumes: {data: }
networks: {front: , back: }
"""


def test_an_override_is_merged_attribute_by_attribute(project: Project) -> None:
    project.write(
        {
            "compose.override.yaml": """
services:
  web:
    command: echo override
    environment: [B=override, C=override]
    labels: {two: override}
    ports: ["9090:90"]
    volumes: [other:/data]
    networks: {back: {priority: 5}}
    healthcheck: {test: [NONE]}
    logging: {driver: json-file}
volumes: {other: }
"""
        }
    )
    web = project.load(BASE).services["web"]

    assert web.command == ("echo", "override")
    assert web.environment == {"A": "base", "B": "override", "C": "override"}
    assert web.labels == {"one": "base", "two": "override"}
    assert [port.published for port in web.ports] == ["8080", "9090"]
    assert [(mount.source, mount.target) for mount in web.volumes] == [
        ("other", "/data"),
        (str(project.folder / "base"), "/code"),
    ]
    assert web.networks_by_priority() == ("back", "front")
    assert web.healthcheck is not None
    assert (web.healthcheck.test, web.healthcheck.interval) == (("NONE",), 5.0)
    assert web.logging is not None
    assert web.logging.options == {}


def test_reset_takes_a_value_away_and_override_replaces_it_whole(project: Project) -> None:
    project.write(
        {
            "compose.override.yaml": "services: {web: {environment: !reset null, command: !reset [],"
            " ports: !override ['1:1']}}"
        }
    )
    web = project.load(BASE).services["web"]

    assert (web.environment, web.command) == ({}, None)
    assert [port.published for port in web.ports] == ["1"]


def test_a_list_cannot_be_merged_over_a_mapping_and_the_error_says_where(project: Project) -> None:
    project.write({"compose.override.yaml": "services:\n  web:\n    healthcheck: [a]\n"})
    error = project.error(BASE)

    assert error.message == "`services.web.healthcheck` is a list, but overrides a mapping"
    assert error.position is not None
    assert error.position.file.name == "compose.override.yaml"
    assert error.position.line == 3


def test_a_second_document_of_a_file_is_merged_over_the_first(project: Project) -> None:
    definition = project.load("services: {web: {image: a, init: true}}\n---\nservices: {web: {image: b}}\n")

    assert (definition.services["web"].image, definition.services["web"].init) == ("b", True)


def test_fragments_and_merge_keys_are_used_as_they_are(project: Project) -> None:
    definition = project.load(
        """
x-common: &common {restart: always, environment: &env {A: "1"}}
services:
  one: {<<: *common, image: x}
  two: {<<: *common, image: x, environment: {<<: *env, B: "2"}}
"""
    )

    assert definition.services["one"].restart == "always"
    assert definition.services["two"].environment == {"A": "1", "B": "2"}
    assert definition.extensions["x-common"]["restart"] == "always"


def test_a_service_extends_another_of_the_same_file(project: Project) -> None:
    definition = project.load(
        """
services:
  base: {image: x, environment: {A: base, B: base}, cap_add: [SYS_TIME]}
  middle: {extends: base, environment: {B: middle}}
  web: {extends: {service: middle}, environment: {C: web}, cap_add: [NET_ADMIN]}
"""
    )
    web = definition.services["web"]

    assert web.environment == {"A": "base", "B": "middle", "C": "web"}
    assert web.cap_add == ("SYS_TIME", "NET_ADMIN")
    assert definition.services["base"].cap_add == ("SYS_TIME",)


def test_paths_of_an_extended_file_start_where_that_file_is(project: Project) -> None:
    project.write(
        {
            "common/base.yaml": "services: {base: {build: ., env_file: vars.env,"
            " extends: {file: ../deep/root.yaml, service: root}}}",
            "common/vars.env": "FROM=common\n",
            "deep/root.yaml": "services: {root: {volumes: ['./src:/src']}}",
        }
    )
    web = project.load(
        "services: {web: {extends: {file: common/base.yaml, service: base}, volumes: ['./own:/own']}}"
    ).services["web"]

    assert web.build is not None
    assert web.build.context == str(project.folder / "common")
    assert [mount.source for mount in web.volumes] == [
        str(project.folder / "deep/src"),
        str(project.folder / "own"),
    ]
    assert web.environment == {"FROM": "common"}


def test_extends_that_go_round_in_a_circle_are_shown_as_a_path(project: Project) -> None:
    error = project.error("services: {a: {extends: b}, b: {extends: c}, c: {extends: a}}")

    assert error.message == "circular `extends`: a -> b -> c -> a"


def test_an_extended_service_that_is_not_there_is_named_with_the_nearest(project: Project) -> None:
    error = project.error("services: {worker: {image: x}, web: {extends: wroker}}")

    assert "unknown service `wroker`" in error.message
    assert error.hint == "Did you mean `worker`?"


def test_an_included_file_has_its_own_directory_and_env_file(project: Project) -> None:
    project.write(
        {
            "sub/compose.yaml": "services: {api: {image: 'api:${TAG}', volumes: ['./data:/data']}}\n"
            "include: [deeper/more.yaml]",
            "sub/.env": "TAG=from-sub\n",
            "sub/deeper/more.yaml": "services: {cache: {image: 'c:${TAG}'}}",
        }
    )
    definition = project.load(
        "include: [sub/compose.yaml]\nservices: {web: {image: 'w:${TAG:-none}', depends_on: [api]}}"
    )

    assert {name: service.image for name, service in definition.services.items()} == {
        "api": "api:from-sub",
        "cache": "c:from-sub",
        "web": "w:none",
    }
    assert definition.services["api"].volumes[0].source == str(project.folder / "sub/data")


def test_the_long_form_of_include_says_directory_files_and_env_file(project: Project) -> None:
    project.write(
        {
            "a/one.yaml": "services: {api: {image: 'x:${TAG}', build: .}}",
            "b/two.yaml": "services: {api: {init: true}}",
            "c.env": "TAG=c\n",
        }
    )
    definition = project.load(
        "include: [{path: [a/one.yaml, b/two.yaml], project_directory: dir, env_file: c.env}]\nservices: {}"
    )
    api = definition.services["api"]

    assert (api.image, api.init) == ("x:c", True)
    assert api.build is not None
    assert api.build.context == str(project.folder / "dir")


def test_files_that_include_each_other_are_shown_as_a_path(project: Project) -> None:
    project.write({"b.yaml": "include: [compose.yaml]\nservices: {}"})
    error = project.error("include: [b.yaml]\nservices: {}")

    assert "circular `include`" in error.message
    assert "compose.yaml -> " in error.message


def test_a_service_that_is_here_and_differs_in_an_included_file_is_refused(project: Project) -> None:
    project.write({"b.yaml": "services: {web: {image: other}}"})
    error = project.error("include: [b.yaml]\nservices: {web: {image: x}}")

    assert "`services.web` is defined here and, differently, in an included file" in error.message


def test_an_included_file_that_is_not_there_is_named(project: Project) -> None:
    error = project.error("include:\n  - no.yaml\nservices: {}")

    assert error.message == f"no such file: {project.folder / 'no.yaml'}"
    assert error.position is not None
    assert error.position.line == 2


def test_a_file_of_another_machine_is_refused_with_what_to_do(project: Project) -> None:
    error = project.error("include:\n  - https://example.com/x.git\nservices: {}")

    assert error.hint == "Clone it, and use the path of the copy."


def test_all_files_that_were_read_are_known(project: Project) -> None:
    project.write({"a.yaml": "services: {a: {image: x}}", "b.yaml": "services: {b: {image: x}}"})
    definition = project.load("include: [a.yaml]\nservices: {w: {extends: {file: b.yaml, service: b}}}")

    assert sorted(file.name for file in definition.read_files) == ["a.yaml", "b.yaml", "compose.yaml"]
    assert [file.name for file in definition.files] == ["compose.yaml"]
