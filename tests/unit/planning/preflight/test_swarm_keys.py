"""Every key that files may have has a fate in a swarm, and what is not carried out is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.definition.attributes.file import FILE
from invoke_devstack.planning.preflight.examine import examine, fate_of
from invoke_devstack.planning.preflight.fates import NOT_KNOWN, How
from invoke_devstack.planning.preflight.findings import Finding, FindingKind, Level
from invoke_devstack.planning.preflight.swarm import preflight
from invoke_devstack.planning.preflight.swarm_keys import KEYS
from tests.unit.planning.keys import SAMPLES, declared

DECLARED = {f"{place}.{key}" if place else key for place, key in declared(FILE)}
OLD, NEW = (1, 41), (1, 51)
_DONE = "service_completed_successfully"
NAMED = (How.TRANSLATED, How.IGNORED, How.DIFFERENT, How.IMPOSSIBLE)


def found_in(folder: Path, file: object, api: tuple[int, int] = NEW) -> tuple[Finding, ...]:
    (folder / "compose.yaml").write_text(file if isinstance(file, str) else json.dumps(file))
    return preflight(load(folder, environment={"E": "1"}, project_name="p"), api)


def only(findings: tuple[Finding, ...], key: str) -> Finding:
    (finding,) = (item for item in findings if item.key == key)
    return finding


def test_a_key_that_nobody_has_judged_is_named(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x, cpu_count: 2, labels: {a: b}}}")
    wanted = load(tmp_path, environment={}, project_name="p")
    others = {key: fate for key, fate in KEYS.items() if key != "services.*.cpu_count"}
    (finding,) = (item for item in examine(wanted, others, NEW) if item.key == "services.web.cpu_count")
    assert finding.kind is FindingKind.IGNORED
    assert finding.level is Level.WARNING
    assert finding.text == NOT_KNOWN.text
    assert finding.place is not None


def test_every_row_is_for_a_declared_key() -> None:
    known = DECLARED | {f"{key[: key.rfind('.')]}.*" for key in DECLARED}
    above = {f"{key[:end]}.*" for key in DECLARED for end in range(len(key)) if key[end] == "."}
    assert [row for row in KEYS if row not in known | above] == []


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (place, key)
        for place, (_, samples) in SAMPLES.items()
        for key in samples
        if fate_of(KEYS, f"{place}.{key}" if place else key).how in NAMED
    ],
)
def test_a_key_that_is_not_carried_out_as_written_is_named(tmp_path: Path, place: str, key: str) -> None:
    wrap, samples = SAMPLES[place]
    folder = tmp_path / "p"
    folder.mkdir()
    wanted = f"{place}.{key}"
    findings = found_in(folder, wrap({key: samples[key]}))
    named = [finding for finding in findings if finding.key.endswith(f".{key}") and finding.text]
    assert named, wanted
    assert all(finding.place and finding.place.line for finding in named)
    assert named[0].level is fate_of(KEYS, wanted).level


@pytest.mark.parametrize(
    ("lines", "key", "level", "words"),
    [
        ("restart: always", "restart", Level.INFO, "deploy.restart_policy"),
        ("restart: sometimes", "restart", Level.ERROR, "unknown policy"),
        ("network_mode: 'service:b'", "network_mode", Level.ERROR, "no other container"),
        ("network_mode: bridge", "network_mode", Level.WARNING, "stack's own network"),
        ("network_mode: host", "network_mode", Level.WARNING, "the node"),
        ("volumes: [data:/d]", "volumes", Level.WARNING, "finds it empty"),
        ("volumes: [/d]", "volumes", Level.WARNING, "empty volume at /d"),
        ("volumes: [./src:/d]", "volumes", Level.ERROR, "of this machine"),
        ("volumes: [/etc/x:/d]", "volumes", Level.WARNING, "its own `/etc/x`"),
        ("tmpfs: ['/t:size=5%']", "tmpfs", Level.ERROR, "invalid size"),
        ("tmpfs: ['/t:noexec,size=1m']", "tmpfs", Level.WARNING, "without noexec"),
        ("ports: ['127.0.0.1:80:80']", "ports[0].host_ip", Level.WARNING, "not published"),
        ("ports: ['10.0.0.1:80:80']", "ports[0].host_ip", Level.WARNING, "every address"),
        ("ports: ['8000-8010:80']", "ports[0].published", Level.ERROR, "range"),
        ("deploy: {mode: everywhere}", "deploy.mode", Level.ERROR, "unknown mode"),
        ("command: []", "command", Level.WARNING, "the image's"),
        ("links: ['b:database']", "links", Level.WARNING, "`database`"),
        ("security_opt: [seccomp=unconfined]", "security_opt", Level.WARNING, "`seccomp`"),
        ("security_opt: [systempaths=unconfined]", "security_opt", Level.WARNING, "systempaths"),
        (f"depends_on: {{b: {{condition: {_DONE}}}}}", "depends_on.b.condition", Level.INFO, "job"),
    ],
)
def test_a_value_decides(tmp_path: Path, lines: str, key: str, level: Level, words: str) -> None:
    file = f"services:\n  a:\n    image: x\n    {lines}\n  b: {{image: y}}\nvolumes: {{data: {{}}}}\n"
    findings = [item for item in found_in(tmp_path, file, OLD) if item.key == f"services.a.{key}"]
    finding = next(item for item in findings if item.level is level)
    assert words in finding.text
    assert finding.place and finding.place.line == 4


@pytest.mark.parametrize(
    "lines",
    [
        "volumes: ['data:/d']\n    deploy: {placement: {constraints: [node.hostname == n1]}}",
        "volumes: ['nfs:/d']",
        "volumes: [{type: tmpfs, target: /d}]",
        "ports: ['80:80', '443']",
        "security_opt: [no-new-privileges:true]",
        "image: z\n    build: .",
        "pull_policy: always",
    ],
)
def test_what_a_swarm_carries_out_is_not_named(tmp_path: Path, lines: str) -> None:
    image = "" if "image" in lines else "    image: x\n"
    file = (
        f"services:\n  a:\n{image}    {lines}\n  b: {{image: y}}\n"
        "volumes: {data: {}, nfs: {driver: local, driver_opts: {type: nfs, device: ':/x'}}}\n"
    )
    assert found_in(tmp_path, file) == ()


def test_a_build_needs_a_name_for_its_image(tmp_path: Path) -> None:
    finding = only(found_in(tmp_path, "services:\n  web:\n    build: .\n"), "services.web.build")
    assert finding.level is Level.ERROR
    assert finding.hint == "Add `image: REGISTRY/web:TAG`"


def test_an_old_engine_lacks_keys(tmp_path: Path) -> None:
    file = "services:\n  a:\n    image: x\n    oom_score_adj: 5\n"
    assert found_in(tmp_path, file) == ()
    finding = only(found_in(tmp_path, file, OLD), "services.a.oom_score_adj")
    assert (finding.kind, finding.level) == (FindingKind.IGNORED, Level.WARNING)
    assert "API 1.46" in finding.text


def test_the_guide_names_every_key_that_is_an_error() -> None:
    guide = (Path(__file__).parents[4] / "docs/guides/deploy.md").read_text("utf-8")
    errors = [row.rpartition(".")[2] for row, fate in KEYS.items() if fate.how is How.IMPOSSIBLE]
    assert errors
    assert [key for key in errors if f"`{key}`" not in guide] == []
