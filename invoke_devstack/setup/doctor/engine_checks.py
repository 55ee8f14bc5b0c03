"""The engine: there, new enough, and what it builds with."""

from __future__ import annotations

from collections.abc import Iterator

from invoke_devstack.engine.buildx import find_buildx
from invoke_devstack.errors import EngineUnavailableError
from invoke_devstack.setup.doctor.check import Check, Patient


def check_engine(patient: Patient) -> Iterator[Check]:
    """The engine that answers."""
    assert patient.engine is not None
    info, endpoint = patient.engine.info(), patient.engine.endpoint
    api = ".".join(map(str, info.api))
    found = f"{info.name} {info.version} (API {api}, {info.os}/{info.architecture}) at {endpoint.url}"
    yield Check("engine", "ok", found)


def no_engine(error: EngineUnavailableError) -> Check:
    """What it means that none answers."""
    mend = "invoke setup" if error.hint.startswith("`invoke setup`") else error.hint
    return Check("engine", "failed", error.message, "Nothing can run.", mend)


def check_builder(patient: Patient) -> Iterator[Check]:
    """BuildKit through buildx, or the engine's classic builder."""
    if patient.engine is not None and patient.engine.info().name == "Podman":
        yield Check("builder", "ok", "Podman's own")
    elif (buildx := find_buildx()) is not None:
        yield Check("builder", "ok", f"BuildKit, through {buildx}")
    else:
        yield Check(
            "builder",
            "warning",
            "the engine's classic builder: there is no buildx",
            "Dockerfiles with RUN --mount, COPY --chmod or here-documents cannot be built.",
            "Install buildx: https://docs.docker.com/go/buildx/",
        )
