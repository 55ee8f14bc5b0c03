"""Shapes of projects that people have, as the files that `init` looks at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_EXPRESS = {"scripts": {"start": "node server.js"}, "dependencies": {"express": "^5", "pg": "^8"}}
_VITE = {"scripts": {"dev": "vite", "build": "vite build"}, "devDependencies": {"vite": "^7"}}
_NEXT = {"scripts": {"dev": "next dev", "start": "next start"}, "packageManager": "yarn@4.9.0"}
_FASTAPI = "[project]\nname = 'shop'\nversion = '1'\ndependencies = ['fastapi', 'sqlalchemy', 'asyncpg']\n"
_SPRING = """\
<project><properties><java.version>17</java.version></properties>
<parent><artifactId>spring-boot-starter-parent</artifactId></parent>
<dependencies><dependency><artifactId>mysql-connector-j</artifactId></dependency></dependencies></project>
"""
_WEB = '<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net9.0</TargetFramework>'
_DEVCONTAINER = """\
{
  // how editors open it
  "image": "mcr.microsoft.com/devcontainers/rust:1",
  "forwardPorts": [8080],
}
"""

SHAPES: Mapping[str, Mapping[str, str]] = {
    "node-npm": {
        "package.json": json.dumps(_EXPRESS),
        "package-lock.json": "{}",
        "server.js": "app.listen(process.env.PORT || 4000)\n",
        ".gitignore": "node_modules\n",
    },
    "node-pnpm": {"package.json": json.dumps(_VITE), "pnpm-lock.yaml": "", ".nvmrc": "v22.1.0\n"},
    "node-yarn": {"package.json": json.dumps(_NEXT), "yarn.lock": "", ".yarnrc.yml": ""},
    "python-uv": {"pyproject.toml": _FASTAPI, "uv.lock": "", "src/shop/main.py": "app = FastAPI()\n"},
    "python-poetry": {
        "pyproject.toml": "[tool.poetry.dependencies]\npython = '^3.12'\nflask = '^3'\n",
        "poetry.lock": "",
        "app.py": "app = Flask(__name__)\n",
    },
    "python-pyproject": {"pyproject.toml": _FASTAPI, "main.py": "api = FastAPI()\n"},
    "go": {
        "go.mod": "module shop\n\ngo 1.24\n\nrequire github.com/redis/go-redis/v9 v9.7.0\n",
        "go.sum": "",
        "cmd/shop/main.go": 'package main\n\nfunc main() { http.ListenAndServe(":8090", nil) }\n',
    },
    "rails": {
        "Gemfile": "source 'https://rubygems.org'\ngem \"rails\", '~> 8.0'\ngem 'pg'\n",
        "Gemfile.lock": "",
        ".ruby-version": "ruby-3.3.6\n",
    },
    "laravel": {
        "composer.json": json.dumps({"require": {"laravel/framework": "^12", "predis/predis": "^2"}}),
        "composer.lock": "{}",
        "artisan": "<?php\n",
        "package.json": json.dumps(_VITE),
    },
    "symfony": {"composer.json": json.dumps({"require": {"symfony/framework-bundle": "^7"}})},
    "spring-maven": {"pom.xml": _SPRING, "src/main/resources/application.properties": "server.port=9000\n"},
    "spring-gradle": {
        "build.gradle.kts": 'plugins { id("org.springframework.boot") version "3.5.0" }\n',
        "settings.gradle.kts": "",
        "gradlew": "",
        "gradle/wrapper/gradle-wrapper.properties": "",
    },
    "dotnet": {"Shop.csproj": f"{_WEB}</PropertyGroup></Project>\n", "Program.cs": ""},
    "static": {"public/index.html": "<h1>Hello</h1>\n"},
    "monorepo": {
        "apps/web/package.json": json.dumps(_VITE),
        "apps/api/pyproject.toml": _FASTAPI,
        "apps/api/main.py": "app = FastAPI()\n",
        "worker/Dockerfile": "FROM scratch\n",
        "packages/shared/package.json": json.dumps({"name": "shared"}),
    },
    "devcontainer": {".devcontainer/devcontainer.json": _DEVCONTAINER, "Cargo.toml": "[package]\n"},
    "static-root": {"index.html": "<h1>Hello</h1>\n"},
    "devcontainer-compose": {
        ".devcontainer/devcontainer.json": '{"dockerComposeFile": "../docker/dev.yaml", "service": "app"}',
        "docker/dev.yaml": "services:\n  app:\n    image: busybox\n",
    },
    "procfile": {
        "requirements.txt": "gunicorn\nflask\n",
        "Procfile": "release: python migrate.py\nweb: gunicorn app:app\nworker: python worker.py\n",
    },
}


def write_shape(name: str, folder: Path) -> Path:
    for path, text in SHAPES[name].items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder
