"""Files that secrets and configs come from: mounted, or copied to get another owner or mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from invoke_devstack.errors import DefinitionError
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, FileReference, Service


@record
class HostFile:
    """`content` is None if it is not needed, or cannot be read. `mode` are the permission bits."""

    exists: bool = True
    content: bytes | None = None
    uid: int = 0
    gid: int = 0
    mode: int = 0o444


def referenced_files(definition: Definition, service: Service) -> Iterator[tuple[FileReference, str]]:
    """The service's references to secrets and configs that come from files, with the path of each."""
    for references, known in ((service.secrets, definition.secrets), (service.configs, definition.configs)):
        for reference in references:
            found = known.get(reference.source)
            if found is not None and found.file:
                yield reference, found.file


def differs(reference: FileReference, file: HostFile) -> bool:
    """Whether the reference wants another owner or mode than the file has."""
    wanted = (id_number(reference.uid), id_number(reference.gid), _mode(reference))
    has = (file.uid, file.gid, file.mode)
    return any(value is not None and value != own for value, own in zip(wanted, has, strict=True))


def is_copied(reference: FileReference, service: Service, file: HostFile) -> bool:
    """Whether the file is copied into the container. Nothing can be written into a `read_only` one."""
    return file.content is not None and not service.read_only and differs(reference, file)


def id_number(text: str | None) -> int | None:
    """A uid or gid. Like Compose, numbers only: names differ from image to image."""
    if not text:
        return None
    if not text.isdecimal():
        raise DefinitionError(f"invalid uid or gid `{text}`", hint='Use numbers: `uid: "1000"`.')
    return int(text)


def _mode(reference: FileReference) -> int | None:
    return int(reference.mode, 8) if reference.mode else None


def require_host_file(
    definition: Definition, kind: str, name: str, host_files: Mapping[str, HostFile]
) -> None:
    """Raises DefinitionError if the file of a secret or config does not exist."""
    known = definition.secrets if kind == "secret" else definition.configs
    path = known[name].file or ""
    file = host_files.get(path)
    if file is None or file.exists:
        return
    place = definition.origins.get(f"{kind}s.{name}.file")
    raise DefinitionError(
        f"no such file: {path}, which the {kind} `{name}` comes from",
        hint=f"Create it, or fix `file` under `{kind}s.{name}`.",
        position=place.position if place else None,
    )
