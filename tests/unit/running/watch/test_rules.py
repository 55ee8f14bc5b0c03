"""The watch rules of a definition, ready for use."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.running.watch.decisions import why
from invoke_devstack.running.watch.definitions import definition_files
from invoke_devstack.running.watch.rules import CompiledRules, compile_rules


def rules_of(directory: Path, service: str, *, more: str = "") -> CompiledRules:
    (directory / "src").mkdir(exist_ok=True)
    (directory / "compose.yaml").write_text(f"name: t\nservices:\n  web:\n{service}{more}")
    return compile_rules(load(directory))


def watch(rule: str) -> str:
    return f"    image: x\n    develop: {{watch: [{rule}]}}\n"


def test_a_service_with_build_and_no_rules_is_rebuilt_on_a_change_of_its_context(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("*.log\nDockerfile\n")
    (rule,) = rules_of(tmp_path, "    build: .\n").rules
    assert (rule.action, rule.root) == ("rebuild", str(tmp_path))
    assert rule.covers(str(tmp_path / "app.py"))
    assert not rule.covers(str(tmp_path / "x.log"))
    assert rule.covers(str(tmp_path / "Dockerfile"))


def test_a_link_in_a_circle_is_a_path_like_others(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    service = watch("{action: sync, path: ./circle, target: /x}")
    assert rules_of(tmp_path, service).rules
    assert why(load(tmp_path), str(tmp_path / "circle/x"))[0]["service"] == "web"
    assert definition_files(load(tmp_path))


def test_a_service_without_build_and_rules_is_not_watched(tmp_path: Path) -> None:
    assert rules_of(tmp_path, "    image: x\n").rules == ()


def test_the_dockerfiles_own_ignore_file_holds_for_all_rules_of_its_service(tmp_path: Path) -> None:
    (tmp_path / "dev.Dockerfile.dockerignore").write_text("src/out\n")
    (tmp_path / ".dockerignore").write_text("src/in\n")
    service = (
        "    build: {context: ., dockerfile: dev.Dockerfile}\n"
        "    develop: {watch: [{path: ./src, action: sync, target: /app}]}\n"
    )
    (rule,) = rules_of(tmp_path, service).rules
    assert not rule.covers(str(tmp_path / "src/out/x"))
    assert rule.covers(str(tmp_path / "src/in/x"))


@pytest.mark.parametrize(
    ("target", "place"),
    [("/app", "/app/a"), ("/app/", "/app/a"), ("app", "/app/a"), ("/x/../app", "/app/a"), ("/", "/a")],
)
def test_a_target_is_a_path_from_the_root(tmp_path: Path, target: str, place: str) -> None:
    (rule,) = rules_of(tmp_path, watch(f"{{path: ./src, action: sync, target: {target}}}")).rules
    assert rule.container_path(str(tmp_path / "src/a")) == place


def test_a_file_goes_into_a_target_that_ends_with_a_slash(tmp_path: Path) -> None:
    (tmp_path / "one.conf").touch()
    (rule,) = rules_of(tmp_path, watch("{path: ./one.conf, action: sync, target: /etc/}")).rules
    assert rule.container_path(rule.root) == "/etc/one.conf"


def test_a_root_that_is_a_link_stands_for_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (rule,) = rules_of(tmp_path, watch("{path: ./link, action: sync, target: /app}")).rules
    assert rule.root == str(tmp_path / "real")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{path: ./src, action: sync, target: ../../etc}", "outside `/`"),
        ("{path: ./nowhere, action: sync, target: /app}", "does not exist"),
        ("{path: ./src, action: sync, target: /app, ignore: ['[a-']}", "pattern"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_named_and_the_others_hold(
    tmp_path: Path, rule: str, said: str
) -> None:
    other = "{path: ./src, action: sync, target: /other}"
    found = rules_of(tmp_path, watch(f"{rule}, {other}"))
    assert said in found.problems[0].text
    assert any(item.target == "/other" for item in found.rules)


def test_what_is_a_bind_mount_already_is_not_synced(tmp_path: Path) -> None:
    service = watch("{path: ./src, action: sync, target: /app}") + "    volumes: ['./src:/app']\n"
    found = rules_of(tmp_path, service)
    assert found.rules == ()
    assert "bind mount" in found.problems[0].text


def test_a_bad_ignore_file_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("[a-\n")
    found = rules_of(tmp_path, "    build: .\n")
    assert ".dockerignore" in found.problems[0].text
    assert found.rules


def test_the_command_of_a_rule_is_taken_over_whole(tmp_path: Path) -> None:
    rule = (
        "{path: ./src, action: sync+exec, target: /app, "
        "exec: {command: make css, user: app, working_dir: /app, environment: [A=1]}}"
    )
    (found,) = rules_of(tmp_path, watch(rule)).rules
    assert found.command is not None
    assert found.command.command == ("make", "css")
    assert (found.command.user, found.command.working_dir) == ("app", "/app")
    assert found.command.environment == ("A=1",)


def test_only_the_chosen_services_are_watched(tmp_path: Path) -> None:
    more = "  other:\n" + watch("{path: ./src, action: restart}")
    rules_of(tmp_path, watch("{path: ./src, action: restart}"), more=more)
    assert compile_rules(load(tmp_path), ("other",)).services == ("other",)
