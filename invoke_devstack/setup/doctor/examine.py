"""Looks at everything at once, so that what is slow holds up nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.connect import connect
from invoke_devstack.errors import DevstackError, EngineUnavailableError
from invoke_devstack.settings import Settings
from invoke_devstack.setup.doctor import engine_checks, host_checks, network_checks, stack_checks
from invoke_devstack.setup.doctor.check import Check, Patient
from invoke_devstack.setup.machine import Machine

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

Examination = Callable[[Patient], Iterator[Check]]

_OF_ENGINE: tuple[Examination, ...] = (engine_checks.check_engine, engine_checks.check_builder)
_OF_MACHINE: tuple[Examination, ...] = (
    host_checks.check_disk,
    host_checks.check_memory,
    host_checks.check_clock,
    host_checks.check_file_events,
    network_checks.check_registries,
    network_checks.check_proxy,
    network_checks.check_authorities,
)
_OF_STACK: tuple[Examination, ...] = (
    stack_checks.check_ports,
    stack_checks.check_images,
    stack_checks.check_architecture,
    stack_checks.check_env_file,
)


def run_doctor(
    machine: Machine, directory: Path, load_definition: Callable[[], Definition], settings: Settings
) -> tuple[Check, ...]:
    """Every check of the machine, the engine and the stack in `directory`. Changes nothing and raises
    nothing: what cannot be looked at is a failed check. Without an engine, what needs one is left out."""
    patient = Patient(machine, directory, settings)
    checks: list[Check] = []
    try:
        patient = replace(patient, definition=load_definition())
    except DevstackError as error:
        checks.append(_no_definition(error))
    try:
        engine = connect(registry_mirror=settings.registry_mirror)
        patient = replace(patient, engine=engine, info=engine.system_info())
    except EngineUnavailableError as error:
        return (engine_checks.no_engine(error), *checks, *_examine(patient, (*_OF_MACHINE, *_OF_STACK)))
    try:
        found = _examine(patient, (*_OF_ENGINE, *_OF_MACHINE, *_OF_STACK))
    finally:
        engine.close()
    return (*found[:1], *checks, *found[1:])


def _no_definition(error: DevstackError) -> Check:
    where = f"{error.position}: " if error.position else ""
    return Check("definition", "failed", f"{where}{error.message}", "There is no stack to run.", error.hint)


def _examine(patient: Patient, examinations: tuple[Examination, ...]) -> list[Check]:
    with ThreadPoolExecutor(len(examinations)) as pool:
        results = pool.map(lambda examination: _carefully(examination, patient), examinations)
        return [check for checks in results for check in checks]


def _carefully(examination: Examination, patient: Patient) -> list[Check]:
    try:
        return list(examination(patient))
    except (DevstackError, OSError) as problem:
        name = examination.__name__.removeprefix("check_").replace("_", " ")
        return [Check(name, "warning", f"could not be looked at: {problem}")]
