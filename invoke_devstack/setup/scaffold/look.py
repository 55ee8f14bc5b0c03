"""What a project consists of, from its files. Only reads them; runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from invoke_devstack.definition.reading.discover import FILE_NAMES
from invoke_devstack.setup.scaffold.catalogue import used_by
from invoke_devstack.setup.scaffold.devcontainer import Devcontainer, devcontainer
from invoke_devstack.setup.scaffold.languages import KINDS, static
from invoke_devstack.setup.scaffold.node import libraries, node
from invoke_devstack.setup.scaffold.python import TITLES, entry_of, python
from invoke_devstack.setup.scaffold.recipe import Recipe, read

_PROCESS = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$")
_EXPOSED = re.compile(r"^\s*EXPOSE\s+(\d+)", re.IGNORECASE | re.MULTILINE)
_SKIPPED = frozenset(
    {"tests", "test", "docs", "doc", "examples", "node_modules", "venv", "env"}
    | {"build", "dist", "target", "vendor", "services", "bin", "obj"}
)
_MOST_FOLDERS = 200
_MARKERS = (
    *("package.json", "pyproject.toml", "setup.py", "go.mod", "Gemfile", "composer.json", "pom.xml"),
    *("build.gradle", "build.gradle.kts", "Cargo.toml", "mix.exs", "deno.json", "Package.swift"),
)
"""Files that say that there is an application, of whatever kind."""


@dataclass(frozen=True, slots=True)
class Findings:
    """One application and its surroundings. `folder` is where it is in the project, "." for all of it, and
    `name` what its service is called. `framework` is its kind, "" if unknown; `entry` is a Python application
    as `module:name`. `compose` is the existing definition; `processes` are those of a Procfile. `exposed` is
    the Dockerfile's port, 0 for none. `apps` are the applications of a project that has several. `markers`
    are files of an application that was not understood; `left_out` are folders that have such files."""

    directory: Path
    folder: str = "."
    name: str = "web"
    recipe: Recipe | None = None
    framework: str = ""
    entry: str = ""
    dockerfile: bool = False
    exposed: int = 0
    compose: str = ""
    processes: Mapping[str, str] = field(default_factory=dict)
    servers: tuple[str, ...] = ()
    devcontainer: Devcontainer | None = None
    apps: tuple[Findings, ...] = ()
    markers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def starts(self) -> bool:
        """Whether this folder has an application that can be started."""
        return bool(self.framework or self.dockerfile or self.processes)

    @property
    def runs_something(self) -> bool:
        """Whether there is an application to start, here or in a folder of the project."""
        source = self.devcontainer
        return self.starts or bool(self.apps or (source and (source.image or source.dockerfile)))

    @property
    def packages(self) -> frozenset[str]:
        """The libraries that it requires."""
        return self.recipe.packages if self.recipe else frozenset()

    def title(self) -> str:
        """What it is, in a word or two."""
        return self.recipe.title if self.recipe and self.framework else ""

    def words(self) -> str:
        """What was found, as a sentence."""
        parts = [
            self.title(),
            "a Dockerfile" if self.dockerfile else "",
            f"a Procfile ({', '.join(self.processes)})" if self.processes else "",
            "a devcontainer.json" if self.devcontainer else "",
            *(f"{app.title() or 'a Dockerfile'} in {app.folder}" for app in self.apps),
            self.compose,
        ]
        return f"Found {', '.join(part for part in parts if part) or 'no application'}."


def look_at(directory: Path) -> Findings:
    """What is in `directory`. An unreadable file counts as missing."""
    found = replace(
        _application(directory), compose=_compose(directory), devcontainer=devcontainer(directory)
    )
    if not (found.runs_something or found.compose or found.markers):
        found = _with_pages(found, directory)
    if not (found.runs_something or found.compose):
        inner = tuple(_inner(directory))
        found = replace(found, apps=_named(inner), left_out=_left_out(directory, inner))
    servers = dict.fromkeys(name for app in (found, *found.apps) for name in app.servers)
    return replace(found, servers=tuple(servers))


def _with_pages(found: Findings, directory: Path) -> Findings:
    """As a static site, if there is one."""
    pages = static(directory)
    return replace(found, recipe=pages, framework=pages.kind) if pages else found


def _application(directory: Path) -> Findings:
    recipe = _recipe(directory)
    exposed = _EXPOSED.search(read(directory / "Dockerfile"))
    found = (_PROCESS.match(line.strip()) for line in read(directory / "Procfile").splitlines())
    processes = {match[1]: match[2] for match in found if match}
    framework = recipe.kind if recipe and recipe.command else ""
    there = tuple(name for name in _MARKERS if (directory / name).is_file())
    return Findings(
        directory,
        recipe=recipe,
        framework=framework,
        entry=entry_of(directory, framework) if framework in TITLES else "",
        dockerfile=(directory / "Dockerfile").is_file(),
        exposed=int(exposed[1]) if exposed else 0,
        processes=processes,
        servers=used_by((recipe.packages if recipe else frozenset()) | libraries(directory)),
        markers=there,
    )


def _recipe(directory: Path) -> Recipe | None:
    """A language's own framework comes before Node.js, which may only build its pages."""
    own = python(directory)
    if own and own.command:
        return own
    return next((made for kind in (*KINDS, node) if (made := kind(directory))), own)


def _compose(directory: Path) -> str:
    for name in FILE_NAMES:
        if (directory / name).is_file():
            return name
    folder = directory / "services"
    return "services/" if any(folder.glob("*.y*ml")) else ""


def _inner(directory: Path) -> Iterator[Findings]:
    """The applications one or two levels down."""
    for folder in _folders(directory):
        found = _application(folder)
        if not (found.starts or found.markers):
            found = _with_pages(found, folder)
        if found.framework or found.dockerfile:
            place = folder.relative_to(directory).as_posix()
            yield replace(found, folder=place, processes={})


def _left_out(directory: Path, apps: tuple[Findings, ...]) -> tuple[str, ...]:
    """The folders one level down that have an application, but nothing that says how it starts."""
    known = {Path(app.folder).parts[0] for app in apps}
    others = (folder for folder in _folders(directory) if folder.parent == directory)
    signs = (*_MARKERS, "requirements.txt")
    return tuple(
        folder.name
        for folder in others
        if folder.name not in known and any((folder / sign).is_file() for sign in signs)
    )


def _folders(directory: Path) -> list[Path]:
    """Without what is in the folder of another application."""
    found = []
    with suppress(OSError):
        for folder in sorted(path for pattern in ("*", "*/*") for path in directory.glob(pattern)):
            parts = folder.relative_to(directory).parts
            if folder.is_dir() and not any(part in _SKIPPED or part.startswith(".") for part in parts):
                found.append(folder)
    apps = {folder for folder in found if _application(folder).starts}
    return [folder for folder in found if folder.parent not in apps][:_MOST_FOLDERS]


def _named(apps: tuple[Findings, ...]) -> tuple[Findings, ...]:
    """Each with the name of its folder, or of its whole path where two would be the same."""
    last = [_service_name(Path(app.folder).name) for app in apps]
    return tuple(
        replace(app, name=name if last.count(name) == 1 else _service_name(app.folder))
        for app, name in zip(apps, last, strict=True)
    )


def _service_name(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_") or "app"
