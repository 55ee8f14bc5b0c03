"""`volumes` in short form: `SOURCE:TARGET:OPTIONS` (Compose Specification, "Short syntax" of volumes)."""

from __future__ import annotations

import posixpath

from invoke_devstack.definition.tree import Mark, Steps, Table, dotted, fail, table_of

_PROPAGATIONS = frozenset(("rprivate", "private", "rshared", "shared", "rslave", "slave"))


def parse_mount(text: str, mark: Mark, steps: Steps) -> Table:
    """The long form of a mount. Raises DefinitionError for one that cannot be read."""
    result = Table(mark)
    if not text:
        raise fail(f"`{dotted(steps)}` is empty", mark, steps, "Write SOURCE:TARGET or TARGET.")
    if len(text) <= 2:
        return table_of({"type": "volume", "target": text}, mark)
    sections = _sections(text)
    if "" in sections:
        raise fail(f"`{text}` has an empty section between colons", mark, steps, "Write SOURCE:TARGET.")
    if len(sections) > 3:
        raise fail(f"`{text}` has too many colons", mark, steps, "Write SOURCE:TARGET:OPTIONS.")
    source = sections[0] if len(sections) > 1 else ""
    options = sections[2].split(",") if len(sections) == 3 else []
    result.put("type", "bind" if is_path(source) else "volume", mark)
    if source:
        result.put("source", source, mark)
    result.put("target", posixpath.normpath(sections[1] if source else sections[0]), mark)
    _put_options(result, options, mark)
    return result


def _sections(text: str) -> list[str]:
    """The parts between colons; the colon of a Windows drive is none."""
    sections = [""]
    for character in text:
        current = sections[-1]
        if character == ":" and not (len(current) == 1 and current.isalpha()):
            sections.append("")
        else:
            sections[-1] += character
    return sections


def _put_options(mount: Table, options: list[str], mark: Mark) -> None:
    bind, volume = Table(mark), Table(mark)
    for option in options:
        if option in ("ro", "rw"):
            mount.put("read_only", option == "ro", mark)
        elif option == "nocopy":
            volume.put("nocopy", True, mark)
        elif option in _PROPAGATIONS:
            bind.put("propagation", option, mark)
        elif option in ("z", "Z"):
            bind.put("selinux", option, mark)
    if mount["type"] == "bind":
        bind.put("create_host_path", True, mark)
    if bind or mount["type"] == "bind":
        mount.put("bind", bind, mark)
    if volume or mount["type"] == "volume":
        mount.put("volume", volume, mark)
    if not mount.get("read_only"):
        mount.pop("read_only", None)


def is_path(source: str) -> bool:
    """Whether a mount's source is a path of the host rather than the name of a volume."""
    if source[:1] in ("", ".", "/", "~"):
        return bool(source)
    return source.startswith("\\\\") or (len(source) > 1 and source[0].isalpha() and source[1] == ":")
