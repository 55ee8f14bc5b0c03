"""The application's own services, as Compose files, and a Dockerfile if it has none. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from invoke_devstack.setup.scaffold.catalogue import Server
from invoke_devstack.setup.scaffold.look import Findings
from invoke_devstack.setup.scaffold.python import PORT
from invoke_devstack.setup.scaffold.recipe import IGNORED
from invoke_devstack.setup.scaffold.urls import variables_for

_RELEASE = "release"
_UNPRIVILEGED = 1024
"""Lower ports need root on many machines."""


def application_files(findings: Findings, servers: Sequence[Server]) -> dict[str, str]:
    """Path -> text of the Dockerfiles and Compose files of the project's applications."""
    files: dict[str, str] = {}
    used: set[int] = set()
    for app in findings.apps or (findings,):
        folder = "" if app.folder == "." else f"{app.folder}/"
        if not app.dockerfile and app.recipe and app.recipe.dockerfile:
            files |= {f"{folder}Dockerfile": dockerfile(app), f"{folder}.dockerignore": DOCKERIGNORE}
        if app.dockerfile or f"{folder}Dockerfile" in files:
            files |= _services(app, _for(app, servers, findings), used)
    source = findings.devcontainer
    if not files and source and (source.image or source.dockerfile):
        files["services/dev.yaml"] = _of_devcontainer(findings, servers)
    return files


def _for(app: Findings, servers: Sequence[Server], project: Findings) -> Sequence[Server]:
    """Of several applications, each gets the servers that its libraries connect to, and those that nobody's
    do."""
    if not project.apps:
        return servers
    return [item for item in servers if item.name in app.servers or item.name not in project.servers]


def _services(app: Findings, servers: Sequence[Server], used: set[int]) -> dict[str, str]:
    if app.processes:
        return _of_processes(app, servers)
    return {f"services/{app.name}.yaml": _of_one(app, servers, used)}


def _of_one(app: Findings, servers: Sequence[Server], used: set[int]) -> str:
    """`used` are the ports on this machine of the applications before it."""
    recipe = None if app.dockerfile else app.recipe
    port = app.exposed or (recipe.port if recipe else 0) or (PORT if app.framework else 0)
    if app.devcontainer and app.devcontainer.port and not recipe:
        port = app.devcontainer.port
    first = port if port >= _UNPRIVILEGED else port + 8000
    outside = next(number for number in range(first, first + 100) if number not in used)
    used.add(outside)
    lines = [f"# The application: http://localhost:{outside} once the stack is up."] if port else []
    lines += ["", "services:", f"  {app.name}:", *_built(app, recipe.command if recipe else ())]
    variables = {**(recipe.environment if recipe else {}), **variables_for(app, servers)}
    lines += _environment(variables)
    lines += _ports(app.name, outside, port) if port else []
    lines += _healthcheck(recipe.check if recipe else ())
    lines += [*_waits(servers), *_watch(app)]
    return _text(lines)


def _of_processes(findings: Findings, servers: Sequence[Server]) -> dict[str, str]:
    """One service for each line of the Procfile; `release` runs first, to its end. As on Heroku, PORT tells a
    process its port: https://devcenter.heroku.com/articles/procfile"""
    files = {}
    check = findings.recipe.check if findings.recipe and findings.recipe.port == PORT else ()
    for name, words in findings.processes.items():
        command = ["sh", "-c", f"exec {words}" if re.fullmatch(r"[\w./: $={}-]+", words) else words]
        variables = {"PORT": f'"{PORT}"'} if name == "web" else {}
        lines = [f"# `{name}` of the Procfile.", "", "services:", f"  {_service_name(name)}:"]
        lines += [*_built(findings, command)]
        lines += _environment({**variables, **variables_for(findings, servers)})
        lines += [*_ports("web", PORT, PORT), *_healthcheck(check)] if name == "web" else []
        first = (_RELEASE,) if _RELEASE in findings.processes and name != _RELEASE else ()
        lines += [*_waits(servers, first), *_watch(findings, restart=True)]
        files[f"services/{_service_name(name)}.yaml"] = _text(lines)
    return files


def _of_devcontainer(findings: Findings, servers: Sequence[Server]) -> str:
    """The container that an editor would open: the project is mounted, and people start things in it."""
    source = findings.devcontainer
    assert source is not None
    lines = ["# The container of devcontainer.json: `invoke shell -s dev` opens a shell in it."]
    lines += ["", "services:", "  dev:"]
    if source.image:
        lines += [f"    image: {source.image}"]
    else:
        file = source.dockerfile.removeprefix(f"{source.context}/")
        lines += ["    build:", f"      context: {_path(source.context)}", f"      dockerfile: {file}"]
    lines += ["    init: true", '    command: ["sleep", "infinity"]', "    working_dir: /workspace"]
    lines += ["    volumes:", "      - .:/workspace", *_environment(variables_for(findings, servers))]
    lines += _ports("dev", source.port, source.port) if source.port else []
    return _text([*lines, *_waits(servers)])


def _service_name(name: str) -> str:
    return name.lower()


def _path(folder: str) -> str:
    return folder if folder == "." else f"./{folder}"


def _built(app: Findings, command: Sequence[str]) -> list[str]:
    lines = [f"    build: {_path(app.folder)}", "    init: true # passes the stop signal to the server"]
    if command:
        words = [word.replace("$", "$$") for word in command]
        lines.append(f"    command: {json.dumps(words, ensure_ascii=False)}")
    return lines


def _environment(variables: Mapping[str, str]) -> list[str]:
    if not variables:
        return []
    return ["    environment:", *(f"      {name}: {value}" for name, value in variables.items())]


def _ports(name: str, outside: int, port: int) -> list[str]:
    variable = re.sub(r"[^A-Z0-9]", "_", name.upper())
    return [
        "    ports:",
        "      # port on this machine : port in the container",
        f'      - "127.0.0.1:${{{variable}_PORT:-{outside}}}:{port}"',
    ]


def _healthcheck(check: Sequence[str]) -> list[str]:
    """It allows ten minutes for the first start, in which some kinds compile."""
    if not check:
        return []
    words = json.dumps(["CMD", *check], ensure_ascii=False)
    lines = [f"test: {words}", "interval: 2s", "timeout: 5s", "retries: 300"]
    return ["    healthcheck:", *(f"      {line}" for line in lines)]


def _waits(servers: Sequence[Server], done: Sequence[str] = ()) -> list[str]:
    conditions = {server.name: "service_healthy" for server in servers}
    conditions |= dict.fromkeys(done, "service_completed_successfully")
    if not conditions:
        return []
    lines = ["    depends_on:"]
    for name, condition in conditions.items():
        lines += [f"      {name}:", f"        condition: {condition}"]
    return lines


def _watch(app: Findings, *, restart: bool = False) -> list[str]:
    """None for a project's own Dockerfile: it may put the code anywhere, and without rules a change rebuilds
    the image."""
    recipe = app.recipe
    if app.dockerfile or recipe is None:
        return []
    folder = _path(app.folder)
    ignored = ", ".join(json.dumps(pattern) for pattern in (*IGNORED, *recipe.ignored))
    lines = [
        "    develop:",
        "      # `invoke up` and `invoke watch` copy a saved file into the container at once:",
    ]
    lines += ["      watch:", f"        - action: {'sync+restart' if restart or recipe.restarts else 'sync'}"]
    synced = folder if recipe.folder == "." else f"{folder}/{recipe.folder}"
    lines += [
        f"          path: {synced}",
        f"          target: {recipe.target}",
        f"          ignore: [{ignored}]",
    ]
    for manifest in recipe.manifests:
        path = manifest if folder == "." else f"{folder}/{manifest}"
        lines += ["        - action: rebuild", f"          path: {path}"]
    return lines


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines).lstrip("\n") + "\n"


def dockerfile(app: Findings) -> str:
    """The image of its recipe. The processes of a Procfile bring their own commands."""
    text = app.recipe.dockerfile if app.recipe else ""
    return re.sub(r"^CMD .*\n", "", text, flags=re.MULTILINE) if app.processes else text


DOCKERIGNORE = """\
.git
.venv
venv
node_modules
**/__pycache__
*.sqlite3
.env
services/*.yaml
"""
