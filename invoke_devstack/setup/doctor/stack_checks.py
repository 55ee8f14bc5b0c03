"""The stack on this engine: its definition, ports, images, their architecture, and `.env`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from invoke_devstack.engine.port_holders import find_holder
from invoke_devstack.errors import NotFoundError, SetupError
from invoke_devstack.planning.labels import STAND_IN
from invoke_devstack.planning.ports import wanted_ports
from invoke_devstack.setup.doctor.check import Check, Patient
from invoke_devstack.setup.env_file import EXAMPLE, optional_names, read_example, read_text, variable_names
from invoke_devstack.setup.needed_images import build_bases, needed_images

STALE_DAYS = 60


def check_ports(patient: Patient) -> Iterator[Check]:
    """The ports that the stack publishes, and who holds one that it does not hold itself."""
    if patient.definition is None or patient.engine is None:
        return
    wanted = wanted_ports(patient.definition, patient.definition.services, patient.settings.bind)
    free = []
    for port in wanted:
        holder = find_holder(patient.engine, port.host_port, own_project=patient.definition.name)
        if not holder:
            free.append(str(port.host_port))
            continue
        yield Check(
            f"port {port.host_port}",
            "failed",
            f"held by {holder}",
            f"{port.service} cannot start with it.",
            "invoke up --ports auto",
        )
    if free:
        yield Check("ports", "ok", f"free, or this stack's own: {', '.join(free)}")


def check_images(patient: Patient) -> Iterator[Check]:
    """Images that are missing, stand-ins, old, or built on a base that has changed since."""
    if patient.definition is None or patient.engine is None:
        return
    needed = [image.reference for image in needed_images(patient.definition)]
    bodies = {reference: _inspect(patient, reference) for reference in needed}
    there = {reference: body for reference, body in bodies.items() if body is not None}
    missing = [reference for reference in needed if reference not in there]
    if missing:
        found = f"missing: {', '.join(missing)}"
        yield Check("images", "warning", found, "The first `up` waits for them.", "invoke setup")
    else:
        yield Check("images", "ok", f"all {len(there)} are there")
    yield from _check_standins(there)
    yield from _check_age(there)
    yield from _check_bases(patient, there)


def _inspect(patient: Patient, reference: str) -> Mapping[str, Any] | None:
    assert patient.engine is not None
    try:
        return patient.engine.inspect_image(reference)
    except NotFoundError:
        return None


def _is_standin(body: Mapping[str, Any]) -> bool:
    return STAND_IN in (body.get("Config", {}).get("Labels") or {})


def _check_standins(there: Mapping[str, Mapping[str, Any]]) -> Iterator[Check]:
    standins = [reference for reference, body in there.items() if _is_standin(body)]
    if standins:
        found = f"made from Debian's packages: {', '.join(standins)}"
        matters = "They behave as the real ones do, but are other builds. Once the registry answers:"
        yield Check("stand-ins", "warning", found, matters, "invoke pull && invoke up")


def _check_age(there: Mapping[str, Mapping[str, Any]]) -> Iterator[Check]:
    now = time.time()
    days = {
        reference: (now - pulled) / 86400
        for reference, body in there.items()
        if not _is_standin(body) and (pulled := _time(body.get("Metadata", {}).get("LastTagTime")))
    }
    old = [f"{reference} ({age:.0f} days)" for reference, age in days.items() if age > STALE_DAYS]
    if old:
        matters = "Their registry may have newer ones under the same tag, with security fixes."
        yield Check("stale images", "warning", ", ".join(old), matters, "invoke pull && invoke up")


def _check_bases(patient: Patient, there: Mapping[str, Mapping[str, Any]]) -> Iterator[Check]:
    """Images that were built on another version of their base than the one that is here now."""
    assert patient.definition is not None
    for name, service in patient.definition.services.items():
        image = _inspect(patient, service.image_name(patient.definition.name)) if service.build else None
        if image is None or service.build is None:
            continue
        bases = [_layers(there[reference]) for reference in build_bases(service.build) if reference in there]
        if bases and not any(_layers(image)[: len(base)] == base for base in bases):
            found = "built on another version of its base"
            matters = "It lacks what the base has now."
            mend = f"invoke build -s {name} && invoke up"
            yield Check(f"image of {name}", "warning", found, matters, mend)


def _layers(body: Mapping[str, Any]) -> list[str]:
    layers: list[str] = body.get("RootFS", {}).get("Layers") or []
    return layers


def _time(text: str | None) -> float:
    """Seconds since the epoch; 0 for none (the engine's is then the year 1)."""
    if not text or text.startswith("0001"):
        return 0.0
    return datetime.fromisoformat(text).timestamp()


def check_architecture(patient: Patient) -> Iterator[Check]:
    """Images for another processor than the engine's run emulated, many times slower, or not at all."""
    if patient.definition is None or patient.engine is None:
        return
    own = patient.engine.info().architecture
    foreign = []
    for image in needed_images(patient.definition):
        body = _inspect(patient, image.reference)
        if body is not None and body.get("Architecture") not in (own, "", None):
            foreign.append(f"{image.reference} ({body['Architecture']})")
    if foreign:
        found = f"the engine is {own}; not so: {', '.join(foreign)}"
        matters = "They run emulated and slowly, or not at all."
        mend = f"docker pull --platform linux/{own} {foreign[0].partition(' ')[0]}"
        yield Check("architecture", "warning", found, matters, mend)
    else:
        yield Check("architecture", "ok", f"{own}, as all images that are here")


def check_env_file(patient: Patient) -> Iterator[Check]:
    """`.env` beside `.env.example`: what it lacks, and what the example does not know."""
    example, target = patient.directory / EXAMPLE, patient.directory / ".env"
    if not example.is_file():
        return
    if not target.is_file():
        matters = "The definition's defaults are used."
        yield Check(".env", "warning", "there is none", matters, "invoke setup")
        return
    try:
        yield from _compare(read_text(target), read_text(example))
    except SetupError as error:
        matters = "`setup` stops at it, and the stack gets other characters than were meant."
        yield Check(".env", "failed", error.message, matters, error.hint)


def _compare(env: str, example: str) -> Iterator[Check]:
    wanted = {entry.name for entry in read_example(example)}
    there = variable_names(env)
    missing = sorted(wanted - there)
    unknown = sorted(there - wanted - optional_names(example))
    if missing:
        matters = "The definition's defaults are used, where it has any."
        yield Check(".env", "warning", f"lacks {', '.join(missing)}", matters, "invoke setup")
    if unknown:
        matters = "A misspelt name has no effect, and one that is right is missing for everybody else."
        found = f"{EXAMPLE} does not know {', '.join(unknown)}"
        yield Check(".env", "warning", found, matters, f"Add them to {EXAMPLE}, or take them out of .env.")
    if not missing and not unknown:
        yield Check(".env", "ok", f"has the {len(wanted)} variables of {EXAMPLE}")
