"""Stand-ins under the contract of the official images that they stand for, on a real engine."""

from __future__ import annotations

import io
import secrets
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from invoke_devstack.engine.connect import connect
from invoke_devstack.engine.docker_engine import DockerEngine
from invoke_devstack.errors import EngineUnavailableError, SetupError
from invoke_devstack.setup.machine import this_machine
from invoke_devstack.setup.standins import RECIPES, make_standins
from invoke_devstack.setup.standins.certificates import read_host_certificates, split_certificates

# Making a stand-in takes half a minute, several on a busy machine.
pytestmark = pytest.mark.timeout(900)
READY_SECONDS = 180.0
ROOT = ["MYSQL_ROOT_PASSWORD=r'o\\ot"]
SAMPLE = [*ROOT, "MYSQL_DATABASE=my_app", "MYSQL_USER=ann", "MYSQL_PASSWORD=it's"]


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    """The default engine with an image for each recipe: the stand-in, or the real one where it is there."""
    try:
        connected = connect()
    except EngineUnavailableError as error:
        pytest.skip(f"no engine: {error.message}")
    missing = {
        recipe.reference: recipe for recipe in RECIPES if connected.find_image(recipe.reference) is None
    }
    try:
        make_standins(this_machine(), connected, missing, lambda event: None, cause="a test")
    except SetupError as error:
        pytest.skip(f"the images are not here, and stand-ins cannot be made: {error.message}")
    yield connected
    connected.close()


class Box:
    """One container of a test."""

    def __init__(self, engine: DockerEngine, image: str, **body: Any) -> None:
        self.engine = engine
        self.name = f"t-standin-{secrets.token_hex(4)}"
        self.id = engine.create_container(self.name, {"Image": image, **body})

    def start(self) -> Box:
        self.engine.start(self.id)
        return self

    def stop(self) -> int:
        self.engine.stop(self.id, grace=30)
        return self.engine.wait(self.id, timeout=60)

    def put(self, folder: str, files: dict[str, str]) -> Box:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text.encode()), 0o755
                tar.addfile(entry, io.BytesIO(text.encode()))
        self.engine.put_archive(self.id, folder, buffer.getvalue())
        return self

    def run(self, *command: str, environment: Sequence[str] = ()) -> tuple[int, str]:
        done = self.engine.exec(self.id, command, environment=environment)
        return done.exit_code, done.output.decode()

    def says(self, *command: str, environment: Sequence[str] = ()) -> str:
        code, output = self.run(*command, environment=environment)
        assert code == 0, output
        return output.strip()

    def log(self) -> str:
        return b"".join(block for _, block in self.engine.logs(self.id)).decode()

    def end(self) -> int:
        return self.engine.wait(self.id, timeout=READY_SECONDS)

    # MySQL

    def sql(self, statement: str, user: str = "root", password: str = "r'o\\ot") -> str:
        command = ("mysql", "-h127.0.0.1", f"-u{user}", "--skip-column-names", "-e", statement)
        return self.says(*command, environment=[f"MYSQL_PWD={password}"])

    def wait_for_mysql(self, user: str = "root", password: str = "r'o\\ot") -> Box:
        until = time.monotonic() + READY_SECONDS
        command = ("mysql", "-h127.0.0.1", f"-u{user}", "-e", "SELECT 1")
        while self.run(*command, environment=[f"MYSQL_PWD={password}"])[0]:
            assert time.monotonic() < until, self.log()
            time.sleep(0.1)
        return self

    # Redis

    def wait_for_redis(self, port: int = 6379) -> Box:
        until = time.monotonic() + READY_SECONDS
        while self.run("redis-cli", "-p", str(port), "ping")[1].strip() != "PONG":
            assert time.monotonic() < until, self.log()
            time.sleep(0.1)
        return self


MakeBox = Callable[..., Box]


@pytest.fixture
def box(engine: DockerEngine) -> Iterator[MakeBox]:
    made: list[Box] = []

    def make(image: str, **body: Any) -> Box:
        made.append(Box(engine, image, **body))
        return made[-1]

    yield make
    for item in made:
        engine.remove_container(item.id, volumes=True, force=True)


# mysql:9


def test_mysql_makes_the_database_and_the_user_that_the_variables_name(box: MakeBox) -> None:
    mysql = box("mysql:9", Env=SAMPLE).start().wait_for_mysql("ann", "it's")
    assert mysql.sql("SELECT COUNT(*) FROM mysql.user WHERE user = 'ann' AND host = '%'") == "1"
    mysql.sql("CREATE TABLE my_app.t (a INT); INSERT INTO my_app.t VALUES (7)", "ann", "it's")
    assert mysql.sql("SELECT a FROM my_app.t", "ann", "it's") == "7"
    ping = ("mysqladmin", "-h127.0.0.1", "-uann", "ping")
    assert mysql.says(*ping, environment=["MYSQL_PWD=it's"]) == "mysqld is alive"
    assert "dev_invoke_devstack" not in mysql.sql("SHOW DATABASES")


def test_mysql_is_major_version_nine_and_knows_time_zones(box: MakeBox) -> None:
    mysql = box("mysql:9", Env=ROOT).start().wait_for_mysql()
    assert mysql.sql("SELECT VERSION()").startswith("9.")
    assert mysql.sql("SELECT CONVERT_TZ('2026-01-01', 'UTC', 'Europe/Berlin')") == "2026-01-01 01:00:00"


def test_mysql_ends_by_itself_and_keeps_its_data_over_a_stop(box: MakeBox) -> None:
    mysql = box("mysql:9", Env=SAMPLE).start().wait_for_mysql("ann", "it's")
    mysql.sql("CREATE TABLE my_app.t (a INT); INSERT INTO my_app.t VALUES (7)", "ann", "it's")
    assert mysql.stop() == 0
    mysql.start().wait_for_mysql("ann", "it's")
    assert mysql.sql("SELECT a FROM my_app.t", "ann", "it's") == "7"


def test_mysql_runs_as_its_own_user_and_as_process_one(box: MakeBox) -> None:
    mysql = box("mysql:9", Env=ROOT).start().wait_for_mysql()
    assert mysql.says("sh", "-c", "tr '\\0' ' ' </proc/1/cmdline").startswith("mysqld")
    assert mysql.says("stat", "-c", "%U", "/proc/1") == "mysql"


@pytest.mark.parametrize("moment", [0.05, 0.3, 0.8])
def test_a_first_start_that_is_killed_leaves_nothing_half_made(box: MakeBox, moment: float) -> None:
    mysql = box("mysql:9", Env=SAMPLE).start()
    time.sleep(moment)
    mysql.engine.kill(mysql.id)
    mysql.end()
    mysql.start().wait_for_mysql("ann", "it's")
    assert mysql.sql("SELECT DATABASE()", "ann", "it's") == "NULL"


def test_mysql_reads_secrets_from_files(box: MakeBox) -> None:
    mysql = box("mysql:9", Env=["MYSQL_ROOT_PASSWORD_FILE=/run/password"])
    mysql.put("/run", {"password": "from a file\n"}).start()
    mysql.wait_for_mysql(password="from a file")
    assert mysql.sql("SELECT 1", password="from a file") == "1"


def test_mysql_runs_the_scripts_of_a_first_start_once_and_in_order(box: MakeBox) -> None:
    mysql = box("mysql:9", Env=SAMPLE)
    scripts = {
        "1.sql": "CREATE TABLE t (a INT);",
        "2.sh": 'mysql -uroot -p"$MYSQL_ROOT_PASSWORD" my_app -e "INSERT INTO t VALUES (1)"\n',
        "3.sql": "DELIMITER //\nCREATE PROCEDURE p() BEGIN END //\nDELIMITER ;\nINSERT INTO t VALUES (2);",
    }
    mysql.put("/docker-entrypoint-initdb.d", scripts).start().wait_for_mysql("ann", "it's")
    assert mysql.sql("SELECT GROUP_CONCAT(a ORDER BY a) FROM my_app.t") == "1,2"
    assert mysql.stop() == 0
    mysql.start().wait_for_mysql("ann", "it's")
    assert mysql.sql("SELECT COUNT(*) FROM my_app.t") == "2"


def test_an_option_for_a_new_data_directory_is_obeyed(box: MakeBox) -> None:
    mysql = box("mysql:9", Env=ROOT, Cmd=["--lower-case-table-names=1"]).start().wait_for_mysql()
    assert mysql.sql("SELECT @@lower_case_table_names") == "1"


def test_an_empty_password_must_be_asked_for(box: MakeBox) -> None:
    refused = box("mysql:9").start()
    assert refused.end() == 1
    assert "MYSQL_ALLOW_EMPTY_PASSWORD" in refused.log()
    allowed = box("mysql:9", Env=["MYSQL_ALLOW_EMPTY_PASSWORD=yes"]).start().wait_for_mysql(password="")
    assert allowed.sql("SELECT 1", password="") == "1"


def test_a_random_root_password_is_told_in_the_log(box: MakeBox) -> None:
    mysql = box("mysql:9", Env=["MYSQL_RANDOM_ROOT_PASSWORD=1"]).start()
    until = time.monotonic() + READY_SECONDS
    while "GENERATED ROOT PASSWORD: " not in mysql.log():
        assert time.monotonic() < until
        time.sleep(0.1)
    password = mysql.log().partition("GENERATED ROOT PASSWORD: ")[2].split()[0]
    mysql.wait_for_mysql(password=password)


# redis:8


def test_redis_lets_other_containers_in_and_ends_by_itself(box: MakeBox) -> None:
    redis = box("redis:8").start().wait_for_redis()
    address = redis.engine.inspect_container(redis.id)["NetworkSettings"]
    ip = address.get("IPAddress") or next(iter(address["Networks"].values()))["IPAddress"]
    other = box("redis:8", Cmd=["redis-cli", "-h", ip, "set", "a", "b"]).start()
    assert other.end() == 0
    assert other.log().strip() == "OK"
    assert redis.says("redis-cli", "info", "server").count("redis_version:8.") == 1
    assert redis.says("stat", "-c", "%U", "/proc/1") == "redis"
    assert redis.stop() == 0


def test_redis_keeps_its_data_in_its_volume(box: MakeBox) -> None:
    redis = box("redis:8", Cmd=["redis-server", "--appendonly", "yes"]).start().wait_for_redis()
    redis.says("redis-cli", "set", "a", "b")
    assert redis.stop() == 0
    redis.start().wait_for_redis()
    assert redis.says("redis-cli", "get", "a") == "b"
    assert "appendonlydir" in redis.says("ls", "/data")


def test_redis_takes_options_alone_and_a_configuration_file(box: MakeBox) -> None:
    options = box("redis:8", Cmd=["--port", "7000"]).start()
    file = box("redis:8", Cmd=["/etc/my.conf"])
    file.put("/etc", {"my.conf": "port 7001\nprotected-mode yes\n"}).start()
    options.wait_for_redis(7000)
    file.wait_for_redis(7001)
    assert options.says("redis-cli", "-p", "7000", "config", "get", "protected-mode").split()[-1] == "no"
    assert file.says("redis-cli", "-p", "7001", "config", "get", "protected-mode").split()[-1] == "yes"


# python:3.13-slim


def test_python_and_pip_are_where_dockerfiles_look_for_them(box: MakeBox) -> None:
    python = box("python:3.13-slim", Cmd=["sleep", "900"]).start()
    for name in ("python", "python3", "pip", "pip3"):
        assert python.says("sh", "-c", f"command -v {name}") == f"/usr/local/bin/{name}"
    assert python.says("python", "-c", "import sys; print(sys.version_info[:2])") == "(3, 13)"
    paths = python.says("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    assert paths == "/usr/local/lib/python3.13/site-packages"


def test_python_makes_virtual_environments_and_has_its_usual_modules(box: MakeBox) -> None:
    python = box("python:3.13-slim", Cmd=["sleep", "900"]).start()
    python.says("python", "-c", "import ctypes, lzma, sqlite3, ssl, venv, zoneinfo; zoneinfo.ZoneInfo('UTC')")
    python.says("python", "-m", "venv", "/tmp/venv")
    python.says("/tmp/venv/bin/pip", "--version")


def test_a_stand_in_trusts_what_this_machine_trusts(box: MakeBox) -> None:
    python = box("python:3.13-slim", Cmd=["sleep", "900"]).start()
    inside = split_certificates(python.says("cat", "/etc/ssl/certs/ca-certificates.crt"))
    standin = "dev.invoke-devstack.standin"
    labels = python.engine.inspect_image("python:3.13-slim")["Config"]["Labels"] or {}
    if standin in labels:
        assert set(read_host_certificates()) <= set(inside)
    assert len(inside) > 100
