"""The services of the application itself, as Compose files, and an image for it where there is none. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from invoke_devstack.setup.scaffold.catalogue import Server
from invoke_devstack.setup.scaffold.look import Findings

PORT = 8000
"""What a web application listens on where its Dockerfile says nothing else."""

_IGNORED = (".git/", ".venv/", "venv/", "node_modules/", "**/__pycache__/", "*.sqlite3*")
_SERVER_OF = {"fastapi": "uvicorn"}
_RELEASE = "release"


def service_files(findings: Findings, servers: Sequence[Server]) -> dict[str, str]:
    """Path -> Compose file of each service that the application consists of."""
    if findings.processes:
        return _of_processes(findings, servers)
    return {"services/web.yaml": _web(findings, servers)}


def _web(findings: Findings, servers: Sequence[Server]) -> str:
    port = findings.exposed or PORT
    serves = bool(findings.exposed or findings.framework)
    command = [] if findings.dockerfile else _command(findings)
    lines = [f"# The application: http://localhost:{port} once the stack is up."] if serves else []
    lines += ["", "services:", "  web:", *_built(command), *_environment(_variables(servers))]
    lines += _ports(port) if serves else []
    lines += [*_waits(servers), *_watch(findings)]
    return _text(lines)


def _of_processes(findings: Findings, servers: Sequence[Server]) -> dict[str, str]:
    """One service for each line of the Procfile; `release` runs first, and ends. As on Heroku, a process
    is told its port in PORT: https://devcenter.heroku.com/articles/procfile"""
    files = {}
    for name, words in findings.processes.items():
        command = ["sh", "-c", f"exec {words}" if re.fullmatch(r"[\w./: $={}-]+", words) else words]
        variables = {"PORT": f'"{PORT}"'} if name == "web" else {}
        lines = [f"# `{name}` of the Procfile.", "", "services:", f"  {_service_name(name)}:"]
        lines += [*_built(command), *_environment({**variables, **_variables(servers)})]
        lines += _ports(PORT) if name == "web" else []
        first = (_RELEASE,) if _RELEASE in findings.processes and name != _RELEASE else ()
        lines += [*_waits(servers, first), *_watch(findings, restart=True)]
        files[f"services/{_service_name(name)}.yaml"] = _text(lines)
    return files


def _service_name(name: str) -> str:
    return name.lower()


def _command(findings: Findings) -> list[str]:
    """How the framework's own development server is started; it reloads what changes."""
    address = ["--host", "0.0.0.0", "--port", str(PORT)]
    if findings.framework == "flask":
        return ["flask", "--app", findings.entry or "app", "run", "--debug", *address]
    if findings.framework == "fastapi":
        entry = findings.entry.removesuffix("()") or "main:app"
        factory = ["--factory"] if findings.entry.endswith("()") else []
        return ["uvicorn", entry, *factory, "--reload", *address]
    migrated = f"python manage.py migrate --noinput && exec python manage.py runserver 0.0.0.0:{PORT}"
    return ["sh", "-c", migrated]


def _built(command: Sequence[str]) -> list[str]:
    lines = ["    build: .", "    init: true # passes the signal of a stop on to the server"]
    if command:
        words = [word.replace("$", "$$") for word in command]
        lines.append(f"    command: {json.dumps(words, ensure_ascii=False)}")
    return lines


def _variables(servers: Sequence[Server]) -> dict[str, str]:
    """The first relational one is `DATABASE_URL`."""
    found: dict[str, str] = {}
    for server in servers:
        found = {**server.variables(), **found}
    return dict(sorted(found.items()))


def _environment(variables: Mapping[str, str]) -> list[str]:
    if not variables:
        return []
    return ["    environment:", *(f"      {name}: {value}" for name, value in variables.items())]


def _ports(port: int) -> list[str]:
    return [
        "    ports:",
        "      # Port of this machine : port in the container.",
        f'      - "127.0.0.1:${{WEB_PORT:-{port}}}:{port}"',
    ]


def _waits(servers: Sequence[Server], done: Sequence[str] = ()) -> list[str]:
    conditions = {server.name: "service_healthy" for server in servers}
    conditions |= dict.fromkeys(done, "service_completed_successfully")
    if not conditions:
        return []
    lines = ["    depends_on:"]
    for name, condition in conditions.items():
        lines += [f"      {name}:", f"        condition: {condition}"]
    return lines


def _watch(findings: Findings, *, restart: bool = False) -> list[str]:
    """A project's own Dockerfile may put the code anywhere: there a change builds the image again, which
    needs no rule."""
    if findings.dockerfile:
        return []
    ignored = ", ".join(json.dumps(pattern) for pattern in _IGNORED)
    lines = [
        "    develop:",
        "      # While `invoke up` or `invoke watch` runs, a saved file is there at once:",
    ]
    lines += ["      watch:", f"        - action: {'sync+restart' if restart else 'sync'}"]
    lines += ["          path: .", "          target: /app", f"          ignore: [{ignored}]"]
    if findings.requirements:
        lines += ["        - action: rebuild", f"          path: {findings.requirements}"]
    return lines


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines).lstrip("\n") + "\n"


def dockerfile(findings: Findings) -> str:
    """An image for a Python application."""
    missing = [package for package in _needed(findings) if package not in findings.packages]
    lines = [
        "FROM python:3.13-slim",
        "",
        "# Lines reach the log as they are written, not when a buffer is full.",
        f"ENV PYTHONUNBUFFERED=1{' PYTHONPATH=/app/src' if (findings.directory / 'src').is_dir() else ''}",
        "",
        "# The application does not run as root. It owns its folder: a watch copies changed files into it.",
        "RUN install -d -o nobody -g nogroup /app",
        "WORKDIR /app",
        "",
    ]
    pip = "RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore"
    if findings.requirements == "requirements.txt":
        lines += ["# Before the code: as long as they stay the same, this layer comes from the cache."]
        lines += ["COPY requirements.txt ./", f"{pip} -r requirements.txt"]
    elif findings.requirements:
        lines += ["COPY . ./", f"{pip} ."]
    lines += [f"{pip} {' '.join(missing)}"] if missing else []
    lines += ["", "COPY --chown=nobody:nogroup . ./", "USER nobody", f"EXPOSE {PORT}"]
    if not findings.processes:
        lines.append(f"CMD {json.dumps(_command(findings))}")
    return _text(lines)


def _needed(findings: Findings) -> tuple[str, ...]:
    """The framework and the server that starts it; of a Procfile's words nothing is known."""
    if findings.processes or not findings.framework:
        return ()
    server = _SERVER_OF.get(findings.framework)
    return (findings.framework, server) if server else (findings.framework,)


DOCKERIGNORE = """\
.git
.venv
venv
node_modules
**/__pycache__
*.sqlite3
.env
services
"""
