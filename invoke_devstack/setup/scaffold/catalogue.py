"""The servers that `invoke init` can add: an ordinary Compose file each, in the folder `catalogue`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from invoke_devstack.errors import UsageError

_FOLDER = Path(__file__).with_name("catalogue")


@dataclass(frozen=True, slots=True)
class Server:
    """`url` is how the application reaches it, with the variables of its Compose file; `packages` are
    libraries (of PyPI and npm) that speak to it."""

    name: str
    title: str
    url: str
    packages: tuple[str, ...] = ()
    relational: bool = False

    @property
    def text(self) -> str:
        """Its Compose file."""
        return (_FOLDER / f"{self.name}.yaml").read_text("utf-8")

    def variables(self) -> dict[str, str]:
        """What an application is told of it; many look for `DATABASE_URL` alone."""
        own = {f"{self.name.upper()}_URL": self.url}
        return {"DATABASE_URL": self.url, **own} if self.relational else own


_SERVERS = (
    Server("redis", "Redis", "redis://redis:6379", ("redis", "rq", "django-redis", "ioredis")),
    Server("valkey", "Valkey", "redis://valkey:6379", ("valkey", "iovalkey")),
    Server(
        "mysql",
        "MySQL",
        "mysql://${MYSQL_USER:-app}:${MYSQL_PASSWORD:-local-app}@mysql:3306/${MYSQL_DATABASE:-app}",
        ("pymysql", "mysqlclient", "mysql-connector-python", "aiomysql", "asyncmy", "mysql2"),
        relational=True,
    ),
    Server(
        "mariadb",
        "MariaDB",
        "mysql://${MARIADB_USER:-app}:${MARIADB_PASSWORD:-local-app}@mariadb:3306/${MARIADB_DATABASE:-app}",
        ("mariadb",),
        relational=True,
    ),
    Server(
        "postgres",
        "PostgreSQL",
        "postgresql://${POSTGRES_USER:-app}:${POSTGRES_PASSWORD:-local-app}@postgres:5432/${POSTGRES_DB:-app}",
        ("psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "asyncpg", "pg8000", "pg"),
        relational=True,
    ),
    Server(
        "mongodb",
        "MongoDB",
        "mongodb://${MONGODB_USER:-app}:${MONGODB_PASSWORD:-local-app}@mongodb:27017"
        "/${MONGODB_DATABASE:-app}?authSource=admin",
        ("pymongo", "motor", "mongoengine", "mongoose", "mongodb"),
    ),
    Server(
        "rabbitmq",
        "RabbitMQ",
        "amqp://${RABBITMQ_USER:-app}:${RABBITMQ_PASSWORD:-local-app}@rabbitmq:5672",
        ("pika", "aio-pika", "amqp", "amqplib"),
    ),
    Server("nats", "NATS", "nats://nats:4222", ("nats-py", "nats")),
    Server(
        "minio",
        "MinIO",
        "http://${MINIO_USER:-app}:${MINIO_PASSWORD:-local-app}@minio:9000",
        ("minio", "boto3", "aioboto3", "django-storages"),
    ),
    Server("mailpit", "Mailpit", "smtp://mailpit:1025", ("flask-mail", "fastapi-mail", "nodemailer")),
)

CATALOGUE = {server.name: server for server in _SERVERS}
_ALSO = {"postgresql": "postgres", "mongo": "mongodb", "maria": "mariadb", "mail": "mailpit", "s3": "minio"}


def choose(names: Sequence[str]) -> tuple[Server, ...]:
    """The servers of these names, each once. Raises UsageError with the nearest for one that is not there."""
    wanted = dict.fromkeys(_ALSO.get(name.lower(), name.lower()) for name in names)
    for name in wanted:
        if name not in CATALOGUE:
            near = get_close_matches(name, CATALOGUE, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(CATALOGUE)}."
            raise UsageError(f"`{name}` is not in the catalogue", hint=hint)
    return tuple(CATALOGUE[name] for name in wanted)


def used_by(packages: Iterable[str]) -> tuple[str, ...]:
    """The servers that a project with these libraries speaks to."""
    there = {*packages}
    return tuple(server.name for server in _SERVERS if there & {*server.packages})
