"""The stack: its ports, images, their architecture, and `.env`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from invoke_devstack.engine.containers.port_holders import find_holder
from invoke_devstack.errors import FileError, NotFoundError
from invoke_devstack.local_files.reading import read_text
from invoke_devstack.planning.labels import STAND_IN
from invoke_devstack.planning.ports import wanted_ports
from invoke_devstack.setup.doctor.check import Check, Subject
from invoke_devstack.setup.env_file import EXAMPLE, optional_names, read_example, variable_names
from invoke_devstack.setup.needed_images import build_bases, needed_images

STALE_DAYS = 60


def check_ports(subject: Subject) -> Iterator[Check]:
    """The ports that the stack publishes, and what else uses them."""
    if subject.definition is None or subject.engine is None:
        return
    chosen = subject.choose_ports(subject.definition, subject.engine)
    free = []
    for port in wanted_ports(subject.definition, subject.definition.services, subject.settings.bind):
        number = chosen.get(port, port.host_port)
        holder = find_holder(subject.engine, number, own_project=subject.definition.name)
        if not holder:
            free.append(str(number))
            continue
        yield Check(
            f"port {port.host_port}",
            "failed",
            f"in use by {holder}",
            f"{port.service} cannot start.",
            "invoke up --ports auto",
        )
    if free:
        yield Check("ports", "ok", f"free or used by this stack: {', '.join(free)}")


def check_images(subject: Subject) -> Iterator[Check]:
    """Images that are missing, stand-ins, old, or built on an outdated base."""
    if subject.definition is None or subject.engine is None:
        return
    needed = [image.reference for image in needed_images(subject.definition)]
    bodies = {reference: _inspect(subject, reference) for reference in needed}
    there = {reference: body for reference, body in bodies.items() if body is not None}
    missing = [reference for reference in needed if reference not in there]
    if missing:
        found = f"missing: {', '.join(missing)}"
        yield Check("images", "warning", found, "The first `up` has to pull them.", "invoke setup")
    else:
        yield Check("images", "ok", f"all {len(there)} are on the engine")
    yield from _check_standins(there)
    yield from _check_age(there)
    yield from _check_bases(subject, there)


def _inspect(subject: Subject, reference: str) -> Mapping[str, Any] | None:
    assert subject.engine is not None
    try:
        return subject.engine.inspect_image(reference)
    except NotFoundError:
        return None


def _is_standin(body: Mapping[str, Any]) -> bool:
    return STAND_IN in (body.get("Config", {}).get("Labels") or {})


def _check_standins(there: Mapping[str, Mapping[str, Any]]) -> Iterator[Check]:
    standins = [reference for reference, body in there.items() if _is_standin(body)]
    if standins:
        found = f"built from Debian packages: {', '.join(standins)}"
        matters = (
            "They work like the real images, but are different builds. Once the registry can be reached:"
        )
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
        matters = "The registry may have newer ones under the same tag, with security fixes."
        yield Check("stale images", "warning", ", ".join(old), matters, "invoke pull && invoke up")


def _check_bases(subject: Subject, there: Mapping[str, Mapping[str, Any]]) -> Iterator[Check]:
    """Images built on another version of their base image than the one on the engine now."""
    assert subject.definition is not None
    for name, service in subject.definition.services.items():
        image = _inspect(subject, service.image_name(subject.definition.name)) if service.build else None
        if image is None or service.build is None:
            continue
        bases = [_layers(there[reference]) for reference in build_bases(service.build) if reference in there]
        if bases and not any(_layers(image)[: len(base)] == base for base in bases):
            found = "built on an outdated base image"
            matters = "It lacks the changes of the newer one."
            fix = f"invoke build -s {name} && invoke up"
            yield Check(f"image of {name}", "warning", found, matters, fix)


def _layers(body: Mapping[str, Any]) -> list[str]:
    layers: list[str] = body.get("RootFS", {}).get("Layers") or []
    return layers


def _time(text: str | None) -> float:
    """Seconds since the epoch; 0 if there is none (the engine gives the year 1)."""
    if not text or text.startswith("0001"):
        return 0.0
    return datetime.fromisoformat(text).timestamp()


def check_architecture(subject: Subject) -> Iterator[Check]:
    """Images for another processor architecture than the engine's."""
    if subject.definition is None or subject.engine is None:
        return
    own = subject.engine.info().architecture
    foreign = []
    for image in needed_images(subject.definition):
        body = _inspect(subject, image.reference)
        if body is not None and body.get("Architecture") not in (own, "", None):
            foreign.append(f"{image.reference} ({body['Architecture']})")
    if foreign:
        found = f"the engine is {own}, but not {', '.join(foreign)}"
        matters = "Under emulation they run slowly, or not at all."
        fix = f"docker pull --platform linux/{own} {foreign[0].partition(' ')[0]}"
        yield Check("architecture", "warning", found, matters, fix)
    else:
        yield Check("architecture", "ok", f"{own}, like all images of the stack")


def check_env_file(subject: Subject) -> Iterator[Check]:
    """`.env` compared with `.env.example`."""
    example, target = subject.directory / EXAMPLE, subject.directory / ".env"
    if not example.is_file():
        return
    if not target.exists():
        matters = "The Compose files' defaults are used."
        yield Check(".env", "warning", "missing", matters, "invoke setup")
        return
    try:
        yield from _compare(read_text(target), read_text(example))
    except FileError as error:
        matters = "`setup` stops at it, and the stack gets wrong characters."
        yield Check(".env", "failed", error.message, matters, error.hint)


def _compare(env: str, example: str) -> Iterator[Check]:
    wanted = {entry.name for entry in read_example(example)}
    there = variable_names(env)
    missing = sorted(wanted - there)
    unknown = sorted(there - wanted - optional_names(example))
    if missing:
        matters = "The Compose files' defaults are used, if there are any."
        yield Check(".env", "warning", f"without {', '.join(missing)}", matters, "invoke setup")
    if unknown:
        matters = "A misspelt variable has no effect; a correct one is missing for everybody else."
        found = f"not in {EXAMPLE}: {', '.join(unknown)}"
        yield Check(".env", "warning", found, matters, f"Add them to {EXAMPLE}, or remove them from .env.")
    if not missing and not unknown:
        yield Check(".env", "ok", f"has all {len(wanted)} variables of {EXAMPLE}")
