"""Builds a root file system of Debian packages, as a tar, with mmdebstrap."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from invoke_devstack.setup.commands import run_command
from invoke_devstack.setup.machine import Machine
from invoke_devstack.setup.standins.recipes import Recipe

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
    """A Debian archive. `options` are apt's, to be passed on (proxies)."""

    address: str
    options: tuple[str, ...] = ()


def choose_mirror(index_targets: str, *, system: str, codename: str) -> str:
    """The archive of Debian's main releases, from the output of INDEX_TARGETS; "" if apt has none. `system`
    and `codename` are ID and VERSION_CODENAME of os-release.

    apt knows an archive's origin once it has read its index; before that, a Debian machine's own release
    identifies the line.
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


ALWAYS_LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
APT_OPTIONS = (
    # In a snapshot mirror, the Release file of Debian unstable may have expired.
    'Acquire::Check-Valid-Until "false"',
    'Acquire::Languages "none"',
    'APT::Install-Recommends "false"',
)
INSIDE = "/standin"
LOCAL_AUTHORITIES = "/usr/local/share/ca-certificates"

OnStep = Callable[[str], None]


def make_rootfs(
    machine: Machine,
    recipe: Recipe,
    mirror: Mirror,
    certificates: Sequence[str],
    folder: Path,
    on_step: OnStep,
) -> tuple[Path, tuple[str, ...]]:
    """Builds the root file system of `recipe` in `folder`. Returns the tar and the variables (`NAME=value`)
    that the recipe's script printed. Calls `on_step` for each step. Raises SetupError."""
    archive = folder / "rootfs.tar"
    authorities = _write_certificates(certificates, folder)
    command = mmdebstrap_command(recipe, mirror, archive, authorities)

    def tell(line: str) -> None:
        if line.startswith("I: "):
            on_step(line.removeprefix("I: ").rstrip("."))

    run_command(
        machine.as_root(*command),
        failure=f"the stand-in for {recipe.reference} cannot be built",
        hint=f"Check that {mirror.address} answers (apt-get update) and has Debian's `{recipe.suite}`.",
        on_line=tell,
    )
    return archive, tuple((folder / "environment").read_text().split())


def mmdebstrap_command(
    recipe: Recipe, mirror: Mirror, archive: Path, authorities: Sequence[Path]
) -> tuple[str, ...]:
    """The command that writes `archive`; `authorities` are certificate files to trust in it."""
    apt = [f"--aptopt={option}" for option in (*APT_OPTIONS, *mirror.options)]
    left_out = [f"--dpkgopt=path-exclude={path}" for path in (*ALWAYS_LEFT_OUT, *recipe.left_out)]
    hooks = [f"--customize-hook={hook}" for hook in _hooks(recipe, archive.parent, authorities)]
    return (
        "mmdebstrap",
        "--variant=apt",
        *apt,
        "--dpkgopt=force-unsafe-io",
        *left_out,
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        f"--include={','.join(recipe.packages)}",
        *hooks,
        recipe.suite,
        str(archive),
        mirror.address,
    )


def _hooks(recipe: Recipe, folder: Path, authorities: Sequence[Path]) -> list[str]:
    hooks = [
        f'mkdir "$1{INSIDE}"',
        f"copy-in {_quote(sorted(item for item in recipe.folder.iterdir() if item.is_file()))} {INSIDE}",
    ]
    if authorities:
        hooks.append(f"copy-in {_quote(authorities)} {LOCAL_AUTHORITIES}")
        hooks.append('chroot "$1" update-ca-certificates')
    return [
        *hooks,
        f'chroot "$1" {INSIDE}/customize.sh',
        f"copy-out {INSIDE}/environment {_quote([folder])}",
        f'rm -r "$1{INSIDE}"',
    ]


def _quote(paths: Sequence[Path]) -> str:
    return shlex.join(str(path) for path in paths)


def _write_certificates(certificates: Sequence[str], folder: Path) -> list[Path]:
    files = [folder / f"host-{number}.crt" for number in range(1, len(certificates) + 1)]
    for file, certificate in zip(files, certificates, strict=True):
        file.write_text(certificate + "\n")
    return files
