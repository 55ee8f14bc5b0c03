"""Paths of a container that exist on this machine too: bind mounts, and secrets and configs in a private
folder, which has them under the same paths (`FOLDER/run/secrets/token`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from invoke_devstack.planning.hosting.addresses import Rewrite
from invoke_devstack.planning.names import is_absolute, secret_target
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, FileReference, Service


@record
class PrivateFile:
    """A secret or config for a process. `source` is a file of this machine; without one, `content` is it."""

    what: str  # "secret `token`"
    target: str  # in the container
    path: str
    content: str = ""
    source: str = ""


def private_files(definition: Definition, service: Service, folder: str) -> tuple[PrivateFile, ...]:
    """The secrets and configs that the container would get."""
    found = []
    for kind, references, known in (
        ("secret", service.secrets, definition.secrets),
        ("config", service.configs, definition.configs),
    ):
        for reference in references:
            file = known.get(reference.source)
            target = secret_target(reference) if kind == "secret" else _config_target(reference)
            if file is not None and (file.content is not None or file.file):
                what = f"{kind} `{reference.source}`"
                place = folder + target
                found.append(PrivateFile(what, target, place, file.content or "", file.file or ""))
    return tuple(found)


def _config_target(reference: FileReference) -> str:
    target = reference.target or reference.source
    return target if is_absolute(target) else f"/{target}"


class Places:
    """Where paths of the container are on this machine."""

    def __init__(self, service: Service, files: tuple[PrivateFile, ...], folder: str) -> None:
        self._reasons: dict[str, tuple[str, str]] = {}
        for mount in service.volumes:
            if mount.type == "bind" and mount.source and mount.target:
                self._reasons[mount.target.rstrip("/")] = (mount.source, "it is mounted from there")
        for file in files:
            self._reasons[file.target] = (file.path, f"the {file.what}")
            for parent in PurePosixPath(file.target).parents:
                if len(parent.parts) > 1:
                    self._reasons.setdefault(str(parent), (folder + str(parent), f"has the {file.what}"))
        any_target = "|".join(sorted(map(re.escape, self._reasons), key=len, reverse=True)) or "(?!)"
        self._path = re.compile(rf"(?<![\w./~-])(?P<target>{any_target})(?![\w-]|\.\w)")
        self.used: set[str] = set()

    def variables(self, values: Mapping[str, str]) -> tuple[dict[str, str], list[Rewrite]]:
        """The variables with the paths on this machine."""
        rewrites: list[Rewrite] = []
        result = {name: self._value(name, value, rewrites) for name, value in values.items()}
        return result, rewrites

    def _value(self, name: str, value: str, rewrites: list[Rewrite]) -> str:
        def here(match: re.Match[str]) -> str:
            target = match["target"]
            path, reason = self._reasons[target]
            self.used.add(target)
            rewrites.append(Rewrite(name, target, path, reason))
            return path

        return self._path.sub(here, value)

    def unused(self, targets: Iterator[str]) -> list[str]:
        """Those of `targets` that no variable names, nor a folder above them."""
        return [
            target for target in targets if not {target, *map(str, PurePosixPath(target).parents)} & self.used
        ]
