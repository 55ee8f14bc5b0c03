"""Applications in Python: Flask, Django, FastAPI, and any with packages to install."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from invoke_devstack.setup.scaffold.recipe import Recipe, read, there

PORT = 8000
TITLES = {"flask": "Flask", "django": "Django", "fastapi": "FastAPI"}
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)(\[[^\]]*\])?")
_APPLICATION = {
    "flask": re.compile(r"^(\w+)(?:\s*:[^=\n]+)?\s*=\s*(?:flask\.)?Flask\(", re.MULTILINE),
    "fastapi": re.compile(r"^(\w+)(?:\s*:[^=\n]+)?\s*=\s*(?:fastapi\.)?FastAPI\(", re.MULTILINE),
}
_FACTORY = re.compile(r"^def (create_app|make_app)\(", re.MULTILINE)
_SKIPPED = frozenset({"tests", "test", "docs", "node_modules", "venv", "env", "build", "dist"})
_MOST_FILES = 400
_SERVER_OF = {"fastapi": "uvicorn"}
_PIP = "pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore"
_VENV = "ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH"
# Flask's reloader listens before it has imported the application, and accepts nothing until then. A request
# would be a line in the log each time; the server answers the end of the input by ending the connection.
_CHECK = (
    "import select, socket; c = socket.socket(); exit(c.connect_ex(('127.0.0.1', {})) != 0 "
    "or c.shutdown(socket.SHUT_WR) or not select.select([c], [], [], 2)[0])"
)


def python(directory: Path) -> Recipe | None:
    """The recipe of a project that names its packages, or whose framework is known."""
    packages = libraries(directory)
    framework = _framework(directory, packages)
    entry = entry_of(directory, framework)
    manifests, install = _installed(directory)
    if not (framework or manifests):
        return None
    command = _command(framework, entry)
    missing = [package for package in _needed(framework) if package not in packages]
    return Recipe(
        framework or "python",
        TITLES.get(framework, "Python"),
        _dockerfile(directory, manifests, install, missing, command),
        command,
        PORT if framework else 0,
        ("python", "-c", _CHECK.format(PORT)) if framework else (),
        manifests=manifests,
        packages=packages,
        ignored=(".venv/", "venv/", "node_modules/", "**/__pycache__/", "*.sqlite3*"),
        unsure="" if entry or not framework else "The application was not found in the code",
    )


def libraries(directory: Path) -> frozenset[str]:
    """The libraries that the project requires, in lowercase."""
    return frozenset(_packages(directory))


def _pyproject(directory: Path) -> Mapping[str, Any]:
    with suppress(tomllib.TOMLDecodeError):
        return tomllib.loads(read(directory / "pyproject.toml"))
    return {}


def _packages(directory: Path) -> Iterator[str]:
    """`fastapi[standard]` includes `uvicorn`."""
    for name in ("requirements.txt", "requirements-dev.txt", "requirements/base.txt"):
        yield from _required(read(directory / name).splitlines())
    content = _pyproject(directory)
    # PEP 621's dependencies, and Poetry's.
    project = content.get("project") or {}
    yield from _required(list(project.get("dependencies") or ()))
    poetry = (content.get("tool") or {}).get("poetry") or {}
    yield from _required(list(poetry.get("dependencies") or ()))


def _required(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        found = _REQUIREMENT.match(line)
        if found:
            name = re.sub(r"[-_.]+", "-", found[1]).lower()
            yield name
            if name == "fastapi" and "standard" in (found[2] or ""):
                yield "uvicorn"


def _framework(directory: Path, packages: frozenset[str]) -> str:
    if (directory / "manage.py").is_file():
        return "django"
    return next((name for name in ("fastapi", "flask") if name in packages), "")


def entry_of(directory: Path, framework: str) -> str:
    """`module:name` of the application: the first at the top level of a module, or else a factory."""
    if framework == "django":
        return "manage.py"
    if framework not in _APPLICATION:
        return ""
    sources = [(file, read(file)) for file in _python_files(directory)]
    for pattern, call in ((_APPLICATION[framework], ""), (_FACTORY, "()")):
        for file, text in sources:
            found = pattern.search(text)
            if found:
                return f"{_module(file.relative_to(directory))}:{found[1]}{call}"
    return ""


def _python_files(directory: Path) -> list[Path]:
    """The files of the project and its packages, usual names and shallow paths first."""
    usual = ("app.py", "main.py", "wsgi.py", "asgi.py", "application.py", "__init__.py")
    found = [
        file
        for pattern in ("*.py", "*/*.py", "src/*/*.py", "*/*/*.py")
        for file in directory.glob(pattern)
        if not _SKIPPED & {*file.relative_to(directory).parts}
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


def _command(framework: str, entry: str) -> tuple[str, ...]:
    """The command of the framework's development server, which reloads changed code."""
    address = ("--host", "0.0.0.0", "--port", str(PORT))
    if framework == "flask":
        return ("flask", "--app", entry or "app", "run", "--debug", *address)
    if framework == "fastapi":
        factory = ("--factory",) if entry.endswith("()") else ()
        return ("uvicorn", entry.removesuffix("()") or "main:app", *factory, "--reload", *address)
    migrated = f"python manage.py migrate --noinput && exec python manage.py runserver 0.0.0.0:{PORT}"
    return ("sh", "-c", migrated) if framework else ()


def _needed(framework: str) -> tuple[str, ...]:
    """The framework and its server."""
    server = _SERVER_OF.get(framework)
    return (framework, server) if server else (framework,) if framework else ()


def _installed(directory: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files that name the packages, and the steps that install them."""
    if (directory / "uv.lock").is_file():
        return ("pyproject.toml", "uv.lock"), ("RUN uv sync --frozen --no-install-project",)
    content = _pyproject(directory)
    poetry = (content.get("tool") or {}).get("poetry") or {}
    if (directory / "poetry.lock").is_file() or poetry.get("dependencies"):
        return there(directory, "pyproject.toml", "poetry.lock"), ("RUN poetry install --no-root",)
    if (directory / "requirements.txt").is_file():
        return ("requirements.txt",), (f"RUN {_PIP} -r requirements.txt",)
    if (directory / "pyproject.toml").is_file():
        steps = ("RUN uv pip install -r pyproject.toml",) if content.get("project") else ()
        return ("pyproject.toml",), steps
    return (), ()


def _dockerfile(
    directory: Path,
    manifests: Sequence[str],
    install: Sequence[str],
    missing: Sequence[str],
    command: Sequence[str],
) -> str:
    tool = next((name for name in ("uv", "poetry") if any(f"RUN {name} " in step for step in install)), "")
    add = "uv pip install" if tool == "uv" else _PIP
    lines = [
        f"FROM python:{_version(directory)}-slim",
        "",
        "# Write log lines at once, without a buffer.",
        f"ENV PYTHONUNBUFFERED=1{' PYTHONPATH=/app/src' if (directory / 'src').is_dir() else ''}",
        *_tool(tool),
        "",
        "# The application does not run as root. It owns its directory: a watch copies files into it.",
        "RUN install -d -o nobody -g nogroup /app",
        "WORKDIR /app",
        "",
    ]
    if manifests:
        lines += ["# Before the code, so that this layer stays cached until the requirements change."]
        lines += [f"COPY {' '.join(manifests)} ./", *install]
    lines += [f"RUN {add} {' '.join(missing)}"] if missing else []
    lines += ["", "COPY --chown=nobody:nogroup . ./"]
    lines += ["# The project's own commands.", f"RUN {add} --no-deps -e ."] if _scripts(directory) else []
    lines += ["USER nobody", f"EXPOSE {PORT}"]
    lines += [f"CMD {json.dumps(list(command))}"] if command else []
    return "\n".join(lines) + "\n"


def _tool(tool: str) -> tuple[str, ...]:
    """What installs the packages, and the environment that they go to: `/app` belongs to the code."""
    if not tool:
        return ()
    own = (f"RUN {_PIP} {tool} && python -m venv /opt/venv", _VENV)
    return (*own, "ENV UV_PROJECT_ENVIRONMENT=/opt/venv UV_PYTHON_DOWNLOADS=never") if tool == "uv" else own


def _scripts(directory: Path) -> bool:
    """Whether pyproject.toml declares commands, and says how the project is built."""
    content = _pyproject(directory)
    return bool((content.get("project") or {}).get("scripts") and content.get("build-system"))


def _version(directory: Path) -> str:
    found = re.match(r"3\.\d+", read(directory / ".python-version"))
    return found[0] if found else "3.13"
