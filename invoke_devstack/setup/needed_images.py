"""Which images a definition asks for: those that services run and those that builds start from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.dockerfile import base_images, instructions

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Build, Definition, Service

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:[-+])([^}]*))?\})")


@dataclass(frozen=True, slots=True)
class NeededImage:
    """An image by the reference that the definition has, and what for."""

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
            yield NeededImage(base, f"the build of {name} starts from it", platform)
    elif service.image and service.pull_policy not in ("never", "build"):
        yield NeededImage(service.image, f"{name} runs it", platform)


def build_bases(build: Build) -> tuple[str, ...]:
    """The images after FROM. A Dockerfile that is not on this machine is the build's matter."""
    text = build.dockerfile_inline or _read_dockerfile(build)
    values = {name: value for name, value in build.args.items() if value is not None}
    named = set(build.additional_contexts)
    bases = (substitute(base, defaults(text) | values) for base in base_images(text))
    return tuple(base for base in bases if base and "$" not in base and base not in named)


def _read_dockerfile(build: Build) -> str:
    file = Path(build.context or "") / (build.dockerfile or "Dockerfile")
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
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
    """`$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}` replaced, as a Dockerfile has them."""

    def replaced(match: re.Match[str]) -> str:
        value = values.get(match[1] or match[2], "")
        if match[3] == ":-":
            return value or match[4]
        if match[3] == ":+":
            return match[4] if value else ""
        return value

    return _VARIABLE.sub(replaced, text)
