"""Keys with another form in a swarm reach that form."""

from __future__ import annotations

from pathlib import Path

from invoke_devstack.definition import load
from invoke_devstack.definition.model import Service
from invoke_devstack.planning.preflight.findings import Finding, FindingKind, Level, grouped, refusal
from invoke_devstack.planning.preflight.translate import in_deploy_form, one_shots

LIMITS = "mem_limit: 64m\n    cpus: 0.5\n    pids_limit: 9\n    mem_reservation: 8m"


def translated(folder: Path, lines: str) -> Service:
    (folder / "compose.yaml").write_text(f"services:\n  a:\n    image: x\n    {lines}\n")
    return in_deploy_form(load(folder, environment={}, project_name="p")).services["a"]


def test_limits_move_below_deploy(tmp_path: Path) -> None:
    service = translated(tmp_path, LIMITS)
    assert service.deploy and service.deploy.resources.limits and service.deploy.resources.reservations
    limits = service.deploy.resources.limits
    assert (limits.memory, limits.cpus, limits.pids) == (64 << 20, 0.5, 9)
    assert service.deploy.resources.reservations.memory == 8 << 20
    assert (service.mem_limit, service.cpus, service.pids_limit) == (None, None, None)


def test_a_quota_becomes_processors(tmp_path: Path) -> None:
    service = translated(tmp_path, "cpu_quota: 50000\n    cpu_period: 200000")
    assert service.deploy and service.deploy.resources.limits
    assert service.deploy.resources.limits.cpus == 0.25


def test_nothing_to_translate_leaves_no_limits(tmp_path: Path) -> None:
    service = translated(tmp_path, "init: true")
    assert service.deploy and service.deploy.resources.limits is None
    assert service.deploy.restart_policy is None


def test_what_is_below_deploy_takes_precedence(tmp_path: Path) -> None:
    lines = "restart: always\n    deploy: {restart_policy: {condition: none}, resources: {limits: {pids: 2}}}"
    service = translated(tmp_path, lines)
    assert service.deploy and service.deploy.restart_policy and service.deploy.resources.limits
    assert service.deploy.restart_policy.condition == "none"
    assert service.deploy.resources.limits.pids == 2


def test_restart_becomes_a_policy(tmp_path: Path) -> None:
    for restart, expected in {
        "no": ("none", None),
        "always": ("any", None),
        "unless-stopped": ("any", None),
        "on-failure": ("on-failure", None),
        "on-failure:3": ("on-failure", 3),
    }.items():
        policy = translated(tmp_path, f"restart: '{restart}'").deploy
        assert policy and policy.restart_policy
        assert (policy.restart_policy.condition, policy.restart_policy.max_attempts) == expected


def test_shared_memory_and_tmpfs_become_mounts(tmp_path: Path) -> None:
    service = translated(tmp_path, "shm_size: 64m\n    tmpfs: ['/run:size=1m,mode=700', /t]")
    found = {item.target: item.tmpfs for item in service.volumes}
    assert {item.type for item in service.volumes} == {"tmpfs"}
    run, plain, shared = found["/run"], found["/t"], found["/dev/shm"]
    assert run and plain and shared
    assert (run.size, run.mode, plain.size, shared.size) == (1 << 20, 0o700, None, 64 << 20)


def test_ports_of_one_machine_are_not_published(tmp_path: Path) -> None:
    service = translated(tmp_path, "ports: ['127.0.0.1:1:1', '[::1]:2:2', '3:3', '10.0.0.1:4:4']")
    assert [port.target for port in service.ports] == [3, 4]


def test_a_service_that_others_wait_for_is_a_job(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        """
services:
  migrate: {image: x}
  web:
    image: x
    depends_on: {migrate: {condition: service_completed_successfully}}
"""
    )
    definition = load(tmp_path, environment={}, project_name="p")
    assert one_shots(definition) == {"migrate"}
    own = in_deploy_form(definition).services["migrate"].deploy
    assert own and own.restart_policy
    assert (own.mode, own.restart_policy.condition) == ("replicated-job", "none")


def test_findings_are_grouped_by_what_they_say() -> None:
    findings = [
        Finding(FindingKind.IGNORED, Level.WARNING, key, "it is ignored", "Remove it") for key in ("a", "b")
    ]
    assert grouped(findings, Level.WARNING) == ("a, b: it is ignored. Remove it",)
    assert refusal(findings) is None


def test_a_refusal_names_all_errors() -> None:
    errors = [Finding(FindingKind.IMPOSSIBLE, Level.ERROR, key, "no", f"fix {key}") for key in ("a", "b")]
    error = refusal(errors)
    assert error and error.reason == "preflight"
    assert (error.hint, error.details) == ("fix a", ("b: no", "  fix b"))
