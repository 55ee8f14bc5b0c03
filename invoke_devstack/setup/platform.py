"""What system this is. Pure over the text of /etc/os-release
(https://www.freedesktop.org/software/systemd/man/latest/os-release.html)."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class System:
    """`id` as in os-release ("debian", "ubuntu", "fedora"), or "macos", "windows", or "" (unknown)."""

    id: str
    name: str
    codename: str = ""
    like: tuple[str, ...] = ()

    @property
    def uses_apt(self) -> bool:
        return bool({"debian", "ubuntu"} & {self.id, *self.like})


def parse_os_release(text: str) -> System:
    """The system that an os-release file describes."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            values[name] = " ".join(shlex.split(value))
    return System(
        id=values.get("ID", ""),
        name=values.get("PRETTY_NAME", values.get("NAME", "an unknown system")),
        codename=values.get("VERSION_CODENAME", ""),
        like=tuple(values.get("ID_LIKE", "").split()),
    )


def identify_system(platform: str, os_release: str | None) -> System:
    """`platform` is `sys.platform`; `os_release` the file's text, None where there is none."""
    if platform == "darwin":
        return System("macos", "macOS")
    if platform == "win32":
        return System("windows", "Windows")
    if os_release is None:
        return System("", "an unknown system")
    return parse_os_release(os_release)
