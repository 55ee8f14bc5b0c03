"""What a project is made of, seen from its files. Reads, and runs nothing."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invoke_devstack.definition.discover import FILE_NAMES
from invoke_devstack.setup.scaffold.catalogue import used_by

_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)(\[[^\]]*\])?")
_PROCESS = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$")
_EXPOSED = re.compile(r"^\s*EXPOSE\s+(\d+)", re.IGNORECASE | re.MULTILINE)
_APPLICATION = {
    "flask": re.compile(r"^(\w+)(?:\s*:[^=\n]+)?\s*=\s*(?:flask\.)?Flask\(", re.MULTILINE),
    "fastapi": re.compile(r"^(\w+)(?:\s*:[^=\n]+)?\s*=\s*(?:fastapi\.)?FastAPI\(", re.MULTILINE),
}
_FACTORY = re.compile(r"^def (create_app|make_app)\(", re.MULTILINE)
_NOT_LOOKED_INTO = frozenset({"tests", "test", "docs", "node_modules", "venv", "env", "build", "dist"})
_LARGEST = 500_000  # bytes of a source file that is still read
_MOST_FILES = 400


@dataclass(frozen=True, slots=True)
class Findings:
    """`framework` is flask, django, fastapi or ""; `entry` is its application as `module:name` ("" where
    none was found), `requirements` the file that lists its packages. `compose` is the definition that is
    there; `processes` are those of a Procfile. `exposed` is the port of the Dockerfile, 0 for none."""

    directory: Path
    framework: str = ""
    entry: str = ""
    requirements: str = ""
    packages: frozenset[str] = frozenset()
    dockerfile: bool = False
    exposed: int = 0
    compose: str = ""
    processes: Mapping[str, str] = field(default_factory=dict)
    servers: tuple[str, ...] = ()

    @property
    def runs_something(self) -> bool:
        """Whether there is an application to start."""
        return bool(self.framework or self.dockerfile or self.processes)

    def words(self) -> str:
        """What was found, as a sentence for a person."""
        titles = {"flask": "Flask", "django": "Django", "fastapi": "FastAPI"}
        parts = [
            titles.get(self.framework, ""),
            "a Dockerfile" if self.dockerfile else "",
            f"a Procfile ({', '.join(self.processes)})" if self.processes else "",
            self.compose,
        ]
        return f"Found {', '.join(part for part in parts if part) or 'no application'}."


def look_at(directory: Path) -> Findings:
    """What `directory` holds. A file that cannot be read counts as not there."""
    packages = frozenset(_packages(directory))
    framework = _framework(directory, packages)
    dockerfile = _read(directory / "Dockerfile")
    exposed = _EXPOSED.search(dockerfile)
    return Findings(
        directory,
        framework=framework,
        entry=_entry(directory, framework),
        requirements=_requirements_file(directory),
        packages=packages,
        dockerfile=(directory / "Dockerfile").is_file(),
        exposed=int(exposed[1]) if exposed else 0,
        compose=_compose(directory),
        processes=_processes(_read(directory / "Procfile")),
        servers=used_by(packages),
    )


def _read(file: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        if file.stat().st_size <= _LARGEST:
            return file.read_text("utf-8-sig")
    return ""


def _compose(directory: Path) -> str:
    for name in FILE_NAMES:
        if (directory / name).is_file():
            return name
    folder = directory / "services"
    return "services/" if any(folder.glob("*.y*ml")) else ""


def _requirements_file(directory: Path) -> str:
    names = ("requirements.txt", "pyproject.toml")
    return next((name for name in names if (directory / name).is_file()), "")


def _packages(directory: Path) -> Iterator[str]:
    """The libraries that the project asks for, in lowercase; `fastapi[standard]` is `uvicorn` too."""
    for name in ("requirements.txt", "requirements-dev.txt", "requirements/base.txt"):
        yield from _required(_read(directory / name).splitlines())
    with suppress(tomllib.TOMLDecodeError):
        yield from _of_pyproject(tomllib.loads(_read(directory / "pyproject.toml")))
    with suppress(ValueError):
        package = json.loads(_read(directory / "package.json") or "{}")
        if isinstance(package, dict):
            for part in ("dependencies", "devDependencies"):
                yield from package.get(part) or ()


def _required(lines: list[str]) -> Iterator[str]:
    for line in lines:
        found = _REQUIREMENT.match(line)
        if found:
            name = re.sub(r"[-_.]+", "-", found[1]).lower()
            yield name
            if name == "fastapi" and "standard" in (found[2] or ""):
                yield "uvicorn"


def _of_pyproject(content: Mapping[str, Any]) -> Iterator[str]:
    """PEP 621's dependencies, and Poetry's."""
    project = content.get("project") or {}
    yield from _required(list(project.get("dependencies") or ()))
    poetry = (content.get("tool") or {}).get("poetry") or {}
    yield from _required(list(poetry.get("dependencies") or ()))


def _framework(directory: Path, packages: frozenset[str]) -> str:
    if (directory / "manage.py").is_file():
        return "django"
    return next((name for name in ("fastapi", "flask") if name in packages), "")


def _entry(directory: Path, framework: str) -> str:
    """`module:name` of the application: the first that is made at the top of a module, else a factory."""
    if framework == "django":
        return "manage.py"
    if framework not in _APPLICATION:
        return ""
    sources = [(file, _read(file)) for file in _python_files(directory)]
    for pattern, call in ((_APPLICATION[framework], ""), (_FACTORY, "()")):
        for file, text in sources:
            found = pattern.search(text)
            if found:
                return f"{_module(file.relative_to(directory))}:{found[1]}{call}"
    return ""


def _python_files(directory: Path) -> list[Path]:
    """Those of the project and its packages, the usual names and the shallow ones first."""
    usual = ("app.py", "main.py", "wsgi.py", "asgi.py", "application.py", "__init__.py")
    found = [
        file
        for pattern in ("*.py", "*/*.py", "src/*/*.py", "*/*/*.py")
        for file in directory.glob(pattern)
        if not _NOT_LOOKED_INTO & {*file.relative_to(directory).parts}
        and not any(part.startswith(".") for part in file.relative_to(directory).parts)
    ]
    ranks = {name: rank for rank, name in enumerate(usual)}
    ordered = sorted(
        dict.fromkeys(found), key=lambda file: (len(file.parts), ranks.get(file.name, 9), file.name)
    )
    return ordered[:_MOST_FILES]


def _module(file: Path) -> str:
    parts = file.with_suffix("").parts
    parts = parts[1:] if parts[0] == "src" else parts
    return ".".join(part for part in parts if part != "__init__")


def _processes(text: str) -> dict[str, str]:
    """Name -> command of the lines of a Procfile."""
    found = (_PROCESS.match(line.strip()) for line in text.splitlines())
    return {match[1]: match[2] for match in found if match}
