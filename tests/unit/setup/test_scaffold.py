"""`invoke init`: what it makes of projects, and that it writes over nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from invoke_devstack.definition import load
from invoke_devstack.errors import UsageError
from invoke_devstack.events import Event, Notice
from invoke_devstack.planning import connections
from invoke_devstack.planning.known_images import known_image
from invoke_devstack.planning.probe_choice import probe_of
from invoke_devstack.setup.scaffold.catalogue import CATALOGUE, choose
from invoke_devstack.setup.scaffold.look import look_at
from invoke_devstack.setup.scaffold.write import Written, write_first_files


def project(folder: Path, **files: str) -> Path:
    """Writes the files into `folder`."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def init(folder: Path, *services: str, answer: str | None = None) -> tuple[Written, list[Event]]:
    told: list[Event] = []
    ask = None if answer is None else lambda _: answer
    return write_first_files(folder, told.append, ask, services), told


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_server_of_the_catalogue_is_complete(tmp_path: Path, name: str) -> None:
    init(tmp_path, name)
    definition = load(tmp_path, environment={})
    service = definition.services[name]
    image = known_image(service.image or "")
    assert image is not None
    assert image.port in [port.target for port in service.ports]
    assert {port.host_ip for port in service.ports} == {"127.0.0.1"}
    assert len(service.volumes) == len(definition.volumes) == len(CATALOGUE[name].entry.volumes)
    assert probe_of(service, None).kind == "healthcheck"


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_application_is_told_the_connection_that_the_stack_knows(tmp_path: Path, name: str) -> None:
    project(tmp_path, **{"requirements.txt": "flask\n"})
    init(tmp_path, name)
    definition = load(tmp_path, environment={})
    connection = connections.inside(definition, definition.services[name])
    assert connection is not None
    assert definition.services["web"].environment[f"{name.upper()}_URL"] == connection.url


def test_the_whole_catalogue_is_read_by_docker_compose_too(tmp_path: Path) -> None:
    if shutil.which("docker") is None:
        pytest.skip("no docker command on this machine")
    init(tmp_path, *CATALOGUE)
    files = [word for name in CATALOGUE for word in ("-f", f"services/{name}.yaml")]
    words = ["docker", "compose", "--project-directory", ".", *files, "config", "--quiet"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    if "unknown" in done.stderr and "compose" in done.stderr:
        pytest.skip("no Docker Compose on this machine")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_flask_application_is_found_by_its_name_and_module(tmp_path: Path) -> None:
    project(
        tmp_path,
        **{
            "requirements.txt": "Flask>=3\npsycopg[binary]\nredis==5.*\n",
            "tests/app.py": "app = Flask(__name__)\n",
            "shop/__init__.py": "",
            "shop/site.py": "import flask\nsite: flask.Flask = flask.Flask(__name__)\n",
        },
    )
    found = look_at(tmp_path)
    assert (found.framework, found.entry, found.servers) == ("flask", "shop.site:site", ("redis", "postgres"))


def test_a_factory_is_called(tmp_path: Path) -> None:
    project(
        tmp_path,
        **{
            "pyproject.toml": "[project]\nname = 'a'\ndependencies = ['fastapi[standard]']\n",
            "src/api/main.py": "def create_app():\n    return FastAPI()\n",
        },
    )
    found = look_at(tmp_path)
    assert (found.framework, found.entry) == ("fastapi", "api.main:create_app()")
    init(tmp_path)
    web = load(tmp_path, environment={}).services["web"]
    assert web.command is not None
    assert web.command[:3] == ("uvicorn", "api.main:create_app", "--factory")
    assert "uv pip install -r pyproject.toml" in (tmp_path / "Dockerfile").read_text()


def test_each_line_of_a_procfile_is_a_service_and_release_comes_first(tmp_path: Path) -> None:
    project(
        tmp_path,
        **{
            "requirements.txt": "gunicorn\n",
            "Procfile": "# processes\nweb: gunicorn app:app --bind 0.0.0.0:$PORT\n"
            "worker: python -u worker.py | cat\nrelease: python migrate.py\n",
        },
    )
    init(tmp_path, "none")
    services = load(tmp_path, environment={}).services
    assert services["web"].command == ("sh", "-c", "exec gunicorn app:app --bind 0.0.0.0:$PORT")
    assert services["worker"].command == ("sh", "-c", "python -u worker.py | cat")
    assert services["web"].depends_on["release"].condition == "service_completed_successfully"
    assert not services["release"].depends_on


def test_the_port_of_a_dockerfile_is_published(tmp_path: Path) -> None:
    project(tmp_path, Dockerfile="FROM scratch\nEXPOSE 9292/tcp\n")
    done, _ = init(tmp_path)
    assert "Dockerfile" not in done.written
    (port,) = load(tmp_path, environment={}).services["web"].ports
    assert (port.target, port.published) == (9292, "9292")


def test_beside_a_compose_file_servers_are_added_through_its_override(tmp_path: Path) -> None:
    compose = "services:\n  web: {image: nginx}\n"
    project(tmp_path, **{"docker-compose.yml": compose, "requirements.txt": "flask\nredis\n"})
    done, _ = init(tmp_path, "nats")
    assert "services/web.yaml" not in done.written
    assert (tmp_path / "docker-compose.yml").read_text() == compose
    assert {*load(tmp_path, environment={}).services} == {"web", "nats"}


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    names = ("Dockerfile", ".dockerignore", "services/redis.yaml", ".env.example", "tasks.py", "Makefile")
    project(tmp_path, **{"requirements.txt": "flask\n", **dict.fromkeys(names, "# mine\n")})
    (tmp_path / "services/redis.yaml").write_text("services: {redis: {image: redis:8}}\n")
    before = {name: (tmp_path / name).read_text() for name in names}
    done, told = init(tmp_path, "redis", "mysql")
    assert {name: (tmp_path / name).read_text() for name in names} == before
    assert {*done.kept} == {"services/redis.yaml", ".env.example", "tasks.py", "Makefile"}
    said = " ".join(str(event.to_json()["text"]) for event in told)
    assert "Kept existing files: services/redis.yaml" in said
    assert "namespace = stack()" in said
    assert "include $(shell" in said


def test_a_second_init_writes_nothing(tmp_path: Path) -> None:
    project(tmp_path, **{"requirements.txt": "flask\nredis\n"})
    assert init(tmp_path)[0].written
    assert init(tmp_path)[0].written == ()


def test_what_is_answered_is_taken_and_enter_takes_what_was_found(tmp_path: Path) -> None:
    files = {"requirements.txt": "flask\nredis\n"}
    for answer, servers in (("", ("redis",)), ("none", ()), ("NATS, mongo", ("nats", "mongodb"))):
        folder = project(tmp_path / f"p{len(answer)}", **files)
        assert init(folder, answer=answer)[0].servers == servers


def test_where_there_is_nothing_to_run_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to run here"):
        init(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError) as raised:
        choose(["postgers"])
    assert "postgres" in raised.value.hint


def test_files_that_are_no_text_and_no_json_count_as_not_there(tmp_path: Path) -> None:
    project(tmp_path, **{"package.json": "{nonsense", "pyproject.toml": "= 3", "Procfile": "no process here"})
    (tmp_path / "requirements.txt").write_bytes(b"\xff\xfe\x00flask")
    found = look_at(tmp_path)
    assert (found.framework, found.processes, found.servers) == ("", {}, ())


def test_an_application_that_is_not_understood_is_named_and_gets_no_database(tmp_path: Path) -> None:
    project(tmp_path, **{"package.json": '{"dependencies": {"pg": "8"}}'})
    with pytest.raises(UsageError, match=r"package\.json does not say how it starts"):
        init(tmp_path)
    _, told = init(tmp_path, "postgres")
    assert any("not clear how to build" in str(event.to_json()["text"]) for event in told)
    assert {*load(tmp_path, environment={}).services} == {"postgres"}


def test_of_several_applications_the_answer_says_which_get_a_service(tmp_path: Path) -> None:
    project(
        tmp_path,
        **{"apps/web/index.html": "", "apps/api/Dockerfile": "FROM scratch\n", "apps/old/index.html": ""},
    )
    answers = iter(("web, api", "none"))
    write_first_files(tmp_path, lambda _: None, lambda _: next(answers))
    assert {*load(tmp_path, environment={}).services} == {"web", "api"}


def test_a_folder_with_an_application_that_is_not_understood_is_told(tmp_path: Path) -> None:
    project(
        tmp_path,
        **{"api/Dockerfile": "FROM scratch\n", "worker/requirements.txt": "celery\n", "notes/a.txt": ""},
    )
    _, told = init(tmp_path)
    texts = [event.text for event in told if isinstance(event, Notice)]
    assert "Left out, because nothing says how they start: worker." in texts


def test_env_is_added_to_a_gitignore_once(tmp_path: Path) -> None:
    project(tmp_path, **{"requirements.txt": "flask\n", ".gitignore": "*.pyc"})
    init(tmp_path)
    init(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n.env\n"


def test_line_ends_of_a_gitignore_stay_what_they_are(tmp_path: Path) -> None:
    project(tmp_path, **{"requirements.txt": "flask\n"})
    (tmp_path / ".gitignore").write_bytes(b"*.pyc\r\nbuild")
    init(tmp_path)
    assert (tmp_path / ".gitignore").read_bytes() == b"*.pyc\r\nbuild\r\n.env\r\n"


def test_the_driver_is_named_where_sqlalchemy_reads_the_url(tmp_path: Path) -> None:
    project(tmp_path, **{"requirements.txt": "fastapi\nsqlmodel\nasyncmy\n"})
    init(tmp_path, "mysql")
    url = load(tmp_path, environment={}).services["web"].environment["DATABASE_URL"]
    assert (url or "").startswith("mysql+asyncmy://app:")
