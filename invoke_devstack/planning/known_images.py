"""What is known of the images that most stacks use: their client, and how a connection is written. Pure.

Variables are those of the images' own pages on Docker Hub.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from urllib.parse import quote

from invoke_devstack.records import record

Variables = Mapping[str, str]


@record
class Kind:
    """One kind of server. `client` is a script for `sh -c` inside the container, where the variables
    are; `user`, `password` and `database` are names of variables, the first that is set counts."""

    scheme: str
    port: int
    client: str = ""
    user: tuple[str, ...] = ()
    password: tuple[str, ...] = ()
    database: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)  # user and database where no variable is set


def _mysql_client(prefix: str, program: str) -> str:
    """Logs in as the image's user, else as root; the password goes through the environment, not the
    command line, where every process could read it."""
    return (
        f"user=${{{prefix}_USER:-root}}; MYSQL_PWD=${{{prefix}_PASSWORD:-}}; "
        f'[ "$user" != root ] || MYSQL_PWD=${{{prefix}_ROOT_PASSWORD:-}}; export MYSQL_PWD; '
        f'exec {program} -u "$user" ${{{prefix}_DATABASE:+"${prefix}_DATABASE"}}'
    )


KINDS: Mapping[str, Kind] = {
    "redis": Kind("redis", 6379, "exec redis-cli"),
    "valkey": Kind("redis", 6379, "exec valkey-cli"),
    "mysql": Kind(
        "mysql",
        3306,
        _mysql_client("MYSQL", "mysql"),
        ("MYSQL_USER",),
        ("MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD"),
        ("MYSQL_DATABASE",),
        {"user": "root"},
    ),
    "mariadb": Kind(
        "mysql",
        3306,
        _mysql_client("MARIADB", "mariadb"),
        ("MARIADB_USER", "MYSQL_USER"),
        ("MARIADB_PASSWORD", "MYSQL_PASSWORD", "MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD"),
        ("MARIADB_DATABASE", "MYSQL_DATABASE"),
        {"user": "root"},
    ),
    "postgres": Kind(
        "postgresql",
        5432,
        'exec psql -U "${POSTGRES_USER:-postgres}" "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"',
        ("POSTGRES_USER",),
        ("POSTGRES_PASSWORD",),
        ("POSTGRES_DB", "POSTGRES_USER"),
        {"user": "postgres", "database": "postgres"},
    ),
    "mongo": Kind(
        "mongodb",
        27017,
        'exec mongosh ${MONGO_INITDB_ROOT_USERNAME:+-u "$MONGO_INITDB_ROOT_USERNAME" '
        '-p "$MONGO_INITDB_ROOT_PASSWORD"}',
        ("MONGO_INITDB_ROOT_USERNAME",),
        ("MONGO_INITDB_ROOT_PASSWORD",),
        ("MONGO_INITDB_DATABASE",),
    ),
    "rabbitmq": Kind(
        "amqp",
        5672,
        "",
        ("RABBITMQ_DEFAULT_USER",),
        ("RABBITMQ_DEFAULT_PASS",),
        ("RABBITMQ_DEFAULT_VHOST",),
        {"user": "guest"},
    ),
    "nats": Kind("nats", 4222),
    "memcached": Kind("memcached", 11211),
    "minio": Kind("http", 9000, "", ("MINIO_ROOT_USER",), ("MINIO_ROOT_PASSWORD",)),
    "mailpit": Kind("smtp", 1025),
    "elasticsearch": Kind("http", 9200),
    "clickhouse-server": Kind(
        "clickhouse",
        9000,
        "exec clickhouse-client",
        ("CLICKHOUSE_USER",),
        ("CLICKHOUSE_PASSWORD",),
        ("CLICKHOUSE_DB",),
        {"user": "default"},
    ),
}

_ALIKE = {
    "percona": "mysql",
    "mysql-server": "mysql",
    "postgis": "postgres",
    "pgvector": "postgres",
    "timescaledb": "postgres",
    "postgresql": "postgres",
    "redis-stack": "redis",
    "redis-stack-server": "redis",
    "mongodb-community-server": "mongo",
    "opensearch": "elasticsearch",
}
"""Images of other names that are told apart by nothing that a client sees."""


@record
class Login:
    """Who connects, and to which database; "" is what is not known or not needed."""

    user: str = ""
    password: str = ""
    database: str = ""


def kind_of(image: str) -> Kind | None:
    """By the image's name: `registry.example.com/library/mysql:9` is a mysql."""
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0].lower()
    return KINDS.get(name) or KINDS.get(_ALIKE.get(name, ""))


def login(kind: Kind, variables: Variables, command: Sequence[str] = ()) -> Login:
    """As the server is told by its variables, or by its command (Redis)."""
    user = _first(kind.user, variables) or kind.defaults.get("user", "")
    return Login(
        user,
        _first(kind.password, variables) or _required_password(command, variables),
        _first(kind.database, variables) or kind.defaults.get("database", ""),
    )


def _required_password(command: Sequence[str], variables: Variables) -> str:
    """The word after `--requirepass`, with the container's variables put in."""
    found = re.search(r"--requirepass[ =]+(?:\"([^\"]*)\"|'([^']*)'|(\S+))", " ".join(command))
    if not found:
        return ""
    word = next(item for item in found.groups() if item is not None)
    return re.sub(r"\$\{?(\w+)\}?", lambda match: variables.get(match[1], ""), word)


def connection_string(kind: Kind, who: Login, host: str, port: int) -> str:
    """`mysql://user:password@host:port/database`, each part percent-encoded."""
    name, secret = quote(who.user, safe=""), quote(who.password, safe="")
    before = f"{name}:{secret}@" if secret else f"{name}@" if name else ""
    path = f"/{quote(who.database, safe='')}" if who.database else ""
    if kind.scheme == "mongodb" and name:
        path = f"{path or '/'}?authSource=admin"  # where the image makes its root user
    return f"{kind.scheme}://{before}{host}:{port}{path}"


def _first(names: tuple[str, ...], variables: Variables) -> str:
    return next((variables[name] for name in names if variables.get(name)), "")
