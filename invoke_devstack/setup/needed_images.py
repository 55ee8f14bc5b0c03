"""The images that a definition needs: those that services run, and the base images of builds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.builds.dockerfile import base_images, instructions
from invoke_devstack.errors import FileError
from invoke_devstack.local_files.reading import read_bytes

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Build, Definition, Service

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:[-+])([^}]*))?\})")


@dataclass(frozen=True, slots=True)
class NeededImage:
    """An image, as the definition names it, and why it is needed."""

    reference: str
    reason: str
    platform: str = ""


def needed_images(definition: Definition) -> tuple[NeededImage, ...]:
    """Every image that must come from a registry, each once, in the order of the services."""
    found: dict[str, NeededImage] = {}
    for name, service in definition.services.items():
        for image in _of_service(name, service):
            found.setdefault(image.reference, image)
    return tuple(found.values())


def _of_service(name: str, service: Service) -> Iterator[NeededImage]:
    platform = service.platform or ""
    if service.build is not None:
        for base in build_bases(service.build):
            yield NeededImage(base, f"base image of {name}", platform)
    elif service.image and service.pull_policy not in ("never", "build"):
        yield NeededImage(service.image, f"{name} needs it", platform)


def build_bases(build: Build) -> tuple[str, ...]:
    """The images after FROM; none if the Dockerfile is not on this machine."""
    text = build.dockerfile_inline or _read_dockerfile(build)
    values = {name: value for name, value in build.args.items() if value is not None}
    named = set(build.additional_contexts)
    bases = (substitute(base, defaults(text) | values) for base in base_images(text))
    return tuple(base for base in bases if base and "$" not in base and base not in named)


def _read_dockerfile(build: Build) -> str:
    file = Path(build.context or "") / (build.dockerfile or "Dockerfile")
    try:
        return read_bytes(file).decode("utf-8", "replace")
    except FileError:
        return ""


def defaults(dockerfile: str) -> dict[str, str]:
    """The arguments that a FROM may use: those of ARG before the first FROM
    (https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact)."""
    values: dict[str, str] = {}
    for instruction in instructions(dockerfile):
        word, _, rest = instruction.text.partition(" ")
        if word.upper() == "FROM":
            break
        if word.upper() == "ARG":
            for name, equals, value in (item.partition("=") for item in rest.split()):
                if equals:
                    values[name] = substitute(value.strip("\"'"), values)
    return values


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`, as a Dockerfile does."""

    def replaced(match: re.Match[str]) -> str:
        value = values.get(match[1] or match[2], "")
        if match[3] == ":-":
            return value or match[4]
        if match[3] == ":+":
            return match[4] if value else ""
        return value

    return _VARIABLE.sub(replaced, text)
