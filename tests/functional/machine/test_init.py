"""`python -m invoke_devstack init` in five shapes of project, each then brought up with no edit."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Callable, Mapping
from urllib.error import URLError

import pytest

from tests.functional.conftest import BUSYBOX, Ended, Project, find_free_port, until
from tests.terminal import Terminal

FIRST_UP = 280.0  # seconds: stand-in images and packages may have to be got first

FLASK = {
    "requirements.txt": "flask\nredis\n",
    "app.py": """
        import os

        import redis
        from flask import Flask

        app = Flask(__name__)
        store = redis.Redis.from_url(os.environ["REDIS_URL"])

        @app.get("/")
        def page():
            return f"flask, visit {store.incr('visits')}"
    """,
}
DJANGO = {
    "requirements.txt": "django\n",
    "manage.py": """
        import os
        import sys

        from django.core.management import execute_from_command_line

        os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
        execute_from_command_line(sys.argv)
    """,
    "site_settings.py": """
        DEBUG = True
        SECRET_KEY = "of a test"
        ROOT_URLCONF = "site_urls"
        INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
    """,
    "site_urls.py": """
        from django.contrib.auth.models import User
        from django.http import HttpResponse
        from django.urls import path

        urlpatterns = [path("", lambda request: HttpResponse(f"django, users {User.objects.count()}"))]
    """,
}
FASTAPI = {
    "pyproject.toml": """
        [project]
        name = "shop"
        version = "1"
        dependencies = ["fastapi"]

        [tool.setuptools]
        packages = ["shop"]
    """,
    "shop/__init__.py": "",
    "shop/main.py": """
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/")
        async def page() -> str:
            return "fastapi"
    """,
}
COMPOSE = {
    "docker-compose.yml": f"""
        services:
          page:
            image: {BUSYBOX}
            init: true
            command: [sh, -c, "echo from compose > index.html; exec httpd -f -p 8000"]
            working_dir: /tmp
            ports: ["127.0.0.1:${{WEB_PORT}}:8000"]
    """,
}
PROCFILE = {
    "requirements.txt": "",
    "Procfile": """
        release: python -c 'print("migrated")'
        web: python -m http.server $PORT
        worker: python -u worker.py
    """,
    "index.html": "procfile\n",
    "worker.py": """
        import time

        print("worker at work")
        time.sleep(3600)
    """,
}
SHAPES: Mapping[str, tuple[dict[str, str], tuple[str, ...], str, set[str]]] = {
    "flask": (FLASK, (), "flask, visit ", {"web", "redis"}),
    "django": (DJANGO, (), "django, users 0", {"web"}),
    "fastapi": (FASTAPI, (), '"fastapi"', {"web"}),
    "compose": (COMPOSE, ("--services", "redis"), "from compose", {"page", "redis"}),
    "procfile": (PROCFILE, (), "procfile", {"release", "web", "worker"}),
}


def new_shape(new_project: Callable[..., Project], files: Mapping[str, str]) -> Project:
    """A project that never heard of Invoke."""
    ports = {name: str(find_free_port()) for name in ("WEB_PORT", "REDIS_PORT")}
    project = new_project(variables=ports)
    (project.directory / "tasks.py").unlink()
    for path, text in files.items():
        project.write(path, text)
    return project


def init(project: Project, *words: str) -> Ended:
    return project.run(sys.executable, "-m", "invoke_devstack", "init", *words)


def page_of(project: Project) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{project.variables['WEB_PORT']}/", timeout=60) as answer:
        return str(answer.read().decode().strip())


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_init_writes_comes_up_with_no_edit(new_project: Callable[..., Project], shape: str) -> None:
    files, words, page, services = SHAPES[shape]
    project = new_shape(new_project, files)
    made = init(project, "--yes", *words)
    assert made.code == 0, made.err
    up = project.invoke("up", "--detach", timeout=FIRST_UP)
    assert up.code == 0, up.err
    until(lambda: _page_or_nothing(project).startswith(page), page)
    assert {row["service"] for row in project.invoke("ps", "--all", "--json").json()} == services
    down = project.invoke("down")
    assert down.code == 0, down.err
    assert "killed" not in down.err


@pytest.mark.timeout(400)
def test_an_edit_is_in_the_container_of_a_first_stack(new_project: Callable[..., Project]) -> None:
    project = new_shape(new_project, PROCFILE)
    assert init(project, "--yes").code == 0
    assert project.invoke("up", "--detach", timeout=FIRST_UP).code == 0
    watch = project.start("watch")
    try:
        assert watch.stderr is not None
        assert any("watching" in line for line in watch.stderr)
        project.write("index.html", "edited\n")
        until(lambda: _page_or_nothing(project) == "edited", "the edit")
    finally:
        watch.terminate()
        watch.communicate(timeout=60)


def _page_or_nothing(project: Project) -> str:
    try:
        return page_of(project)
    except (URLError, OSError):
        return ""


def test_init_tells_scripts_what_it_found_and_wrote(new_project: Callable[..., Project]) -> None:
    project = new_shape(new_project, FLASK)
    project.write("Makefile", "all:\n")
    told = init(project, "--json").json()
    assert told["found"]["framework"] == "flask"
    assert told["services"] == ["redis"]
    assert "services/web.yaml" in told["written"]
    assert told["kept"] == ["Makefile"]


def test_on_a_terminal_init_asks_which_servers_and_takes_the_answer(
    new_project: Callable[..., Project],
) -> None:
    project = new_shape(new_project, FLASK)
    words = (sys.executable, "-m", "invoke_devstack", "init")
    with Terminal(words, project.directory, project.environment) as child:
        child.expect_exact("Found Flask")
        child.expect_exact("[redis]:")
        child.sendline("nats, mailpitt")
        child.expect_exact("Did you mean `mailpit`?")
        child.end()
    assert not (project.directory / "services").exists()
    with Terminal(words, project.directory, project.environment) as child:
        child.expect_exact("[redis]:")
        child.sendline("nats mailpit")
        child.expect_exact("Next: `invoke up`")
        child.end()
    assert {file.name for file in (project.directory / "services").iterdir()} == {
        "web.yaml",
        "nats.yaml",
        "mailpit.yaml",
    }


def test_init_of_nothing_says_what_to_do_and_writes_nothing(new_project: Callable[..., Project]) -> None:
    project = new_shape(new_project, {})
    refused = init(project)
    assert refused.code == 2
    assert "nothing to run here" in refused.err
    assert "--services redis" in refused.err
    assert list(project.directory.iterdir()) == []


def test_the_makefile_that_init_writes_runs_the_tasks(new_project: Callable[..., Project]) -> None:
    project = new_shape(new_project, FLASK)
    assert init(project, "--yes").code == 0
    shown = project.run("make", "config", "args=--services")
    assert (shown.code, shown.out.split()) == (0, ["redis", "web"]), shown.err
