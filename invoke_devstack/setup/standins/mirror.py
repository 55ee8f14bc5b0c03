"""Where this machine's own apt gets Debian's packages from, and how it gets there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

INDEX_TARGETS = (
    "apt-get",
    "indextargets",
    "--format",
    "$(REPO_URI) $(RELEASE) $(ORIGIN)",
    "Created-By: Packages",
)
APT_PROXIES = ("apt-config", "dump", "--format", "%f %v%n", "Acquire::http::Proxy", "Acquire::https::Proxy")


@dataclass(frozen=True, slots=True)
class Mirror:
    """A Debian archive. `options` are apt's own, to be passed on (proxies)."""

    address: str
    options: tuple[str, ...] = ()


def choose_mirror(index_targets: str, *, system: str, codename: str) -> str:
    """The archive that serves Debian's main releases, from `apt-get indextargets` as INDEX_TARGETS asks
    for it; "" when apt knows none. `system` and `codename` are ID and VERSION_CODENAME of os-release.

    apt knows an archive's origin only once it has read its index; before that, a Debian machine's own
    release tells which line it is.
    """
    fallback = ""
    for line in index_targets.splitlines():
        address, release, *origin = line.split(" ")
        if release.endswith(("-security", "-updates", "-backports")) or "security" in address:
            continue
        if origin == ["Debian"]:
            return address.rstrip("/")
        if system == "debian" and release in (codename, "stable", "oldstable", "testing", "unstable", "sid"):
            fallback = fallback or address.rstrip("/")
    return fallback


def read_proxies(lines: Iterable[str]) -> tuple[str, ...]:
    """apt options from lines `Acquire::http::Proxy ADDRESS`."""
    pairs = (line.split(" ", 1) for line in lines if " " in line)
    return tuple(f'{name} "{value}"' for name, value in pairs if value)
