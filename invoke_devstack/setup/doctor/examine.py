"""Runs all checks at the same time, so that a slow one delays nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.connect import connect
from invoke_devstack.errors import DevstackError, EngineUnavailableError
from invoke_devstack.settings import Settings
from invoke_devstack.setup.doctor import host_checks, network_checks, stack_checks
from invoke_devstack.setup.doctor.check import Check, ChoosePorts, Subject, no_others
from invoke_devstack.setup.machine import Machine

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

CheckFunction = Callable[[Subject], Iterator[Check]]

_OF_ENGINE: tuple[CheckFunction, ...] = (host_checks.check_engine, host_checks.check_builder)
_OF_MACHINE: tuple[CheckFunction, ...] = (
    host_checks.check_disk,
    host_checks.check_memory,
    host_checks.check_clock,
    host_checks.check_file_events,
    network_checks.check_registries,
    network_checks.check_proxy,
    network_checks.check_authorities,
)
_OF_STACK: tuple[CheckFunction, ...] = (
    stack_checks.check_ports,
    stack_checks.check_images,
    stack_checks.check_architecture,
    stack_checks.check_env_file,
)


def run_doctor(
    machine: Machine,
    directory: Path,
    load_definition: Callable[[], Definition],
    settings: Settings,
    choose_ports: ChoosePorts = no_others,
) -> tuple[Check, ...]:
    """Every check of the machine, the engine and the stack in `directory`. Changes nothing, raises nothing: a
    check that cannot run is a warning. Without an engine, checks that need one are skipped."""
    subject = Subject(machine, directory, settings, choose_ports=choose_ports)
    checks: list[Check] = []
    try:
        subject = replace(subject, definition=load_definition())
    except DevstackError as error:
        checks.append(_no_definition(error))
    try:
        engine = connect(registry_mirror=settings.registry_mirror)
        subject = replace(subject, engine=engine, info=engine.system_info())
    except EngineUnavailableError as error:
        return (host_checks.no_engine(error), *checks, *_run(subject, (*_OF_MACHINE, *_OF_STACK)))
    try:
        found = _run(subject, (*_OF_ENGINE, *_OF_MACHINE, *_OF_STACK))
    finally:
        engine.close()
    return (*found[:1], *checks, *found[1:])


def _no_definition(error: DevstackError) -> Check:
    where = f"{error.position}: " if error.position else ""
    return Check("definition", "failed", f"{where}{error.message}", "The stack cannot start.", error.hint)


def _run(subject: Subject, functions: tuple[CheckFunction, ...]) -> list[Check]:
    with ThreadPoolExecutor(len(functions)) as pool:
        results = pool.map(lambda function: _run_one(function, subject), functions)
        return [check for checks in results for check in checks]


def _run_one(function: CheckFunction, subject: Subject) -> list[Check]:
    try:
        return list(function(subject))
    except (DevstackError, OSError) as problem:
        name = function.__name__.removeprefix("check_").replace("_", " ")
        return [Check(name, "warning", f"could not be checked: {problem}")]
