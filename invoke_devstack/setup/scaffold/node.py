"""Applications for Node.js: npm, pnpm or Yarn, and the script that people start them with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from invoke_devstack.setup.scaffold.recipe import Recipe, dockerfile, read, there

_SCRIPTS = ("dev", "start:dev", "start", "serve")
_SERVERS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    # program in the script -> its port, and the flags to reach it from outside the container
    "react-scripts": (3000, ()),
    "next": (3000, ()),
    "nuxt": (3000, ("--host", "0.0.0.0")),
    "nuxi": (3000, ("--host", "0.0.0.0")),
    "astro": (4321, ("--host", "0.0.0.0")),
    "vite": (5173, ("--host", "0.0.0.0")),
    "ng": (4200, ("--host", "0.0.0.0")),
    "vue-cli-service": (8080, ("--host", "0.0.0.0")),
}
_RELOADING = ("nodemon", "tsx watch", "node --watch", "ts-node-dev", "nest start --watch", *_SERVERS)
_LISTENS = re.compile(r"PORT\s*(?:\|\||\?\?)\s*[\"']?(\d{2,5})|\.listen\(\s*(\d{2,5})")
_SOURCES = ("*.js", "*.ts", "*.mjs", "*.cjs", "src/*.js", "src/*.ts", "src/*.mjs")
_CHECK = "require('net').connect({}, '127.0.0.1').on('connect', () => process.exit(0))"
_LOCKS = (
    # lock file -> installs it
    ("pnpm-lock.yaml", "pnpm", "pnpm install --frozen-lockfile"),
    ("yarn.lock", "yarn", "yarn install --frozen-lockfile"),
    ("package-lock.json", "npm", "npm ci"),
    ("npm-shrinkwrap.json", "npm", "npm ci"),
)


def package_json(directory: Path) -> Mapping[str, Any]:
    """The content of package.json; empty if it cannot be read."""
    with suppress(ValueError):
        content = json.loads(read(directory / "package.json") or "{}")
        return content if isinstance(content, dict) else {}
    return {}


def libraries(directory: Path) -> frozenset[str]:
    """What package.json requires."""
    content = package_json(directory)
    parts = (content.get(part) for part in ("dependencies", "devDependencies"))
    return frozenset(name for part in parts if isinstance(part, dict) for name in part)


def node(directory: Path) -> Recipe | None:
    """The recipe of a project with a script that starts it."""
    scripts = package_json(directory).get("scripts")
    script = next((name for name in _SCRIPTS if name in scripts), "") if isinstance(scripts, dict) else ""
    if not script or not isinstance(scripts, dict):
        return None
    text = str(scripts[script])
    port, flags = _server(directory, text)
    manager, install = _manager(directory)
    command = _command(manager, script, flags)
    manifests = there(directory, "package.json", *(lock for lock, *_ in _LOCKS), ".yarnrc.yml", ".npmrc")
    return Recipe(
        "node",
        f"Node.js ({manager}, script `{script}`)",
        dockerfile(
            f"node:{_version(directory)}-slim",
            manifests=manifests,
            install=(f"RUN {install}",),
            command=command,
            port=port,
            setup=() if manager == "npm" else ("RUN corepack enable",),
            user="node",
        ),
        command,
        port,
        ("node", "-e", _CHECK.format(port) + ".on('error', () => process.exit(1))"),
        manifests=manifests,
        packages=libraries(directory),
        environment={"PORT": f'"{port}"', "HOST": "0.0.0.0"},
        restarts=not any(program in text for program in _RELOADING),
        ignored=("node_modules/", ".next/", ".nuxt/", "dist/"),
    )


def _server(directory: Path, script: str) -> tuple[int, tuple[str, ...]]:
    """The port, and the flags that make it reachable."""
    words = script.split()
    for program, known in _SERVERS.items():
        if program in words:
            return known
    for pattern in _SOURCES:
        for file in sorted(directory.glob(pattern)):
            if found := _LISTENS.search(read(file)):
                return int(found[1] or found[2]), ()
    return 3000, ()


def _manager(directory: Path) -> tuple[str, str]:
    """The package manager, and how it installs. A lock file says it, or else `packageManager`."""
    for lock, manager, install in _LOCKS:
        if (directory / lock).is_file():
            modern = manager == "yarn" and (directory / ".yarnrc.yml").is_file()
            return manager, "yarn install --immutable" if modern else install
    wanted = str(package_json(directory).get("packageManager", "npm")).partition("@")[0]
    return (wanted, f"{wanted} install") if wanted in ("pnpm", "yarn") else ("npm", "npm install")


def _command(manager: str, script: str, flags: tuple[str, ...]) -> tuple[str, ...]:
    between = ("--",) if flags and manager == "npm" else ()
    return (manager, "run", script, *between, *flags)


def _version(directory: Path) -> str:
    """The major version that the project names, or the current one with long-term support."""
    wanted = read(directory / ".nvmrc") or read(directory / ".node-version")
    found = re.match(r"v?(\d+)", wanted.strip())
    return found[1] if found else "24"
