"""Who owns what is brought into a container: the user that its command runs as."""

from __future__ import annotations

import tarfile
from io import BytesIO
from typing import TYPE_CHECKING

from invoke_devstack.errors import EngineError
from invoke_devstack.running.watch.archive import Owner

if TYPE_CHECKING:
    from invoke_devstack.engine.protocol import Engine

_ROOT: Owner = (0, 0)


def find_owner(engine: Engine, container: str, user: str) -> Owner:
    """(uid, gid) of a container's `user` as Docker reads it: name or number, then `:` and a group."""
    name, _, group = user.partition(":")
    if not name or name == "root" or name == "0":
        return _ROOT
    if name.isdecimal() and group.isdecimal():
        return int(name), int(group)
    passwd = _read(engine, container, "/etc/passwd")
    groups = _read(engine, container, "/etc/group") if group and not group.isdecimal() else ""
    return resolve_owner(name, group, passwd, groups)


def resolve_owner(name: str, group: str, passwd: str, groups: str) -> Owner:
    """The same from the texts of `/etc/passwd` and `/etc/group`; what they do not know is root."""
    uid, gid = (int(name), 0) if name.isdecimal() else _ROOT
    for entry in _entries(passwd, 4):
        if entry[0] == name or entry[2] == name:
            uid, gid = int(entry[2]), int(entry[3])
            break
    if group.isdecimal():
        gid = int(group)
    for entry in _entries(groups, 3):
        if group and entry[0] == group:
            gid = int(entry[2])
    return uid, gid


def _entries(text: str, fields: int) -> list[list[str]]:
    split = (line.split(":") for line in text.splitlines())
    return [entry for entry in split if len(entry) >= fields and all(n.isdecimal() for n in entry[2:fields])]


def _read(engine: Engine, container: str, path: str) -> str:
    try:
        _, chunks = engine.get_archive(container, path)
        with tarfile.open(fileobj=BytesIO(b"".join(chunks))) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    return file.read().decode("utf-8", "replace")
    except (EngineError, tarfile.TarError):
        return ""
    return ""
