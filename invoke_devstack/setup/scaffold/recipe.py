"""How an application of one kind is built, started and kept up to date. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from invoke_devstack.local_files.reading import text_if_any

_LARGEST = 500_000  # bytes; larger files are skipped
IGNORED = (".git/",)


@dataclass(frozen=True, slots=True)
class Recipe:
    """`manifests` name the application's packages: a change of one rebuilds the image. Any other change in
    `folder` is synced to `target`, with a restart if `restarts`; `ignored` is not. `check` are the words of
    its healthcheck. `packages` are the libraries it requires. `unsure` says what a person should check."""

    kind: str
    title: str
    dockerfile: str
    command: tuple[str, ...]
    port: int
    check: tuple[str, ...]
    manifests: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."
    target: str = "/app"
    restarts: bool = False
    ignored: tuple[str, ...] = ()
    unsure: str = ""


def dockerfile(
    image: str,
    *,
    manifests: Sequence[str],
    install: Sequence[str],
    command: Sequence[str] = (),
    port: int,
    setup: Sequence[str] = (),
    after: Sequence[str] = (),
    user: str = "dev",
) -> str:
    """An image for working on an application. The steps of `setup` run as root, the later ones as `user`.
    Packages come before the code, so that their layer stays cached until they change."""
    owner = f"--chown={user}:{user}"
    create = "" if user == "node" else f"useradd --create-home {user} && "
    lines = [
        f"FROM {image}",
        "",
        *setup,
        *([""] if setup else []),
        "# The application does not run as root. It owns its directory: a watch copies files into it.",
        f"RUN {create}install -d -o {user} -g {user} /app",
        "WORKDIR /app",
        f"USER {user}",
        "",
    ]
    if manifests:
        lines += ["# Before the code, so that this layer stays cached until the packages change."]
        lines += [f"COPY {owner} {' '.join(manifests)} ./", *install, ""]
    lines += [f"COPY {owner} . ./", *after, f"EXPOSE {port}"]
    lines += [f"CMD {json.dumps(list(command))}"] if command else []
    return "\n".join(lines) + "\n"


def there(directory: Path, *names: str) -> tuple[str, ...]:
    """Those of `names` that are files in `directory`."""
    return tuple(name for name in names if (directory / name).is_file())


def read(file: Path) -> str:
    """The text of a file; "" if it cannot be read."""
    return text_if_any(file, _LARGEST).removeprefix("\ufeff")
