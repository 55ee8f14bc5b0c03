"""All about common images, in `KNOWN_IMAGES`: port, probe, client, login, and `invoke init`. Pure.

One entry here is all it takes to know an image, or to offer a service in `invoke init`: see
docs/contributing/add-a-known-image.md. Variables are those on the image's page on Docker Hub.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from invoke_devstack.records import record


class ProbeKind(StrEnum):
    """How to ask a starting container whether it is ready; `running/readiness/probes.py` asks."""

    HEALTHCHECK = "healthcheck"  # runs the healthcheck's command inside, as the engine would
    RUNNING = "running"  # nothing to ask: it is ready once it runs
    PORT = "port"  # connects, and the connection stays open
    HTTP = "http"
    REDIS = "redis"
    MYSQL = "mysql"
    POSTGRES = "postgres"

    @property
    def is_protocol(self) -> bool:
        """Whether it is the protocol of one kind of server."""
        return self not in (ProbeKind.HEALTHCHECK, ProbeKind.RUNNING, ProbeKind.PORT, ProbeKind.HTTP)


@record
class CatalogueEntry:
    """A service that `invoke init` offers; `setup/scaffold/catalogue.py` writes its Compose file.

    It publishes the image's `port` and `page`. `volumes` maps the suffix of a volume's name to its path; `{}`
    for none.
    `check` is the healthcheck, a shell command or the words of a command, which runs every `interval`
    seconds. `notes` are comments above a key (`environment`, `test`, `image`). `extra` are more keys of the
    service, in YAML. `packages` are the libraries of any language that connect to it; a `relational` one
    becomes the application's DATABASE_URL. `also` are other names that people type.
    """

    name: str
    title: str
    about: str
    image: str
    volumes: Mapping[str, str]
    check: str | tuple[str, ...]
    interval: int = 2
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    relational: bool = False


@record
class KnownImage:
    """One kind of server. `name` is the last part of the image's name; `alike` are images that no client can
    tell from it.

    `scheme` is that of its connection string, "" if it has none; `user`, `password` and `database` are names
    of variables, of which the first that is set counts, and `defaults` are the user and database if none is.
    `client` is a script for `sh -c` inside the container. `page` is the port of its web page. `probe` asks
    `probe_port`, which is `port` by default.
    """

    name: str
    port: int
    scheme: str = ""
    alike: tuple[str, ...] = ()
    probe: ProbeKind | None = None
    probe_port: int = 0
    page: int = 0
    client: str = ""
    user: tuple[str, ...] = ()
    password: tuple[str, ...] = ()
    database: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    init: CatalogueEntry | None = None


_CLIENT = "`invoke connect {name}` opens its client, logged in."
_ONCE = "Used once, to create the database in an empty volume. For local use only."
_SLOW_STOP = ("stop_grace_period: 1m # to write everything to disk; usually it takes a second",)


def _redis(
    name: str, title: str, image: str, about: str, packages: tuple[str, ...], alike: tuple[str, ...] = ()
) -> KnownImage:
    init = CatalogueEntry(
        name,
        title,
        about,
        image,
        {"data": "/data"},
        f"{name}-cli ping | grep -q PONG",
        command=(f"{name}-server", "--appendonly", "yes"),
        notes={
            "test": f"While it loads data, {name}-cli prints an error but exits with 0: check the answer."
        },
        packages=packages,
    )
    client = f"exec {name}-cli"
    return KnownImage(name, 6379, "redis", alike, probe=ProbeKind.REDIS, client=client, init=init)


def _mysql(
    name: str,
    title: str,
    image: str,
    families: tuple[str, ...],
    packages: tuple[str, ...],
    alike: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
) -> KnownImage:
    """`families` are prefixes of variables; the client and `invoke init` use the first."""
    first = families[0]
    init = CatalogueEntry(
        name,
        title,
        _CLIENT.format(name=name),
        image,
        {"data": "/var/lib/mysql"},
        f'MYSQL_PWD="$${first}_PASSWORD" {name} -h 127.0.0.1 -u "$${first}_USER" -e "SELECT 1" '
        f'"$${first}_DATABASE"',
        environment={
            f"{first}_ROOT_PASSWORD": f"${{{first}_ROOT_PASSWORD:-local-root}}",
            f"{first}_DATABASE": f"${{{first}_DATABASE:-app}}",
            f"{first}_USER": f"${{{first}_USER:-app}}",
            f"{first}_PASSWORD": f"${{{first}_PASSWORD:-local-app}}",
        },
        extra=_SLOW_STOP,
        notes={
            "environment": _ONCE,
            "test": "Over TCP, as the application connects: during creation, nothing listens there.",
        },
        packages=packages,
        also=also,
        relational=True,
    )
    return KnownImage(
        name,
        3306,
        "mysql",
        alike,
        probe=ProbeKind.MYSQL,
        # The password goes through the environment: every process can read a command line.
        client=f"user=${{{first}_USER:-root}}; MYSQL_PWD=${{{first}_PASSWORD:-}}; "
        f'[ "$user" != root ] || MYSQL_PWD=${{{first}_ROOT_PASSWORD:-}}; export MYSQL_PWD; '
        f'exec {name} -u "$user" ${{{first}_DATABASE:+"${first}_DATABASE"}}',
        user=tuple(f"{family}_USER" for family in families),
        password=tuple(f"{family}_{kind}" for kind in ("PASSWORD", "ROOT_PASSWORD") for family in families),
        database=tuple(f"{family}_DATABASE" for family in families),
        defaults={"user": "root"},
        init=init,
    )


_IMAGES = (
    _redis(
        "redis",
        "Redis",
        "redis:8",
        f"A key-value store in memory, saved to disk. {_CLIENT}",
        packages=(
            *("redis", "rq", "django-redis", "ioredis", "sidekiq", "predis/predis", "redis/go-redis"),
            *("spring-boot-starter-data-redis", "stackexchange.redis"),
        ),
        alike=("redis-stack", "redis-stack-server", "keydb", "dragonfly"),
    ),
    _redis(
        "valkey",
        "Valkey",
        "valkey/valkey:8",
        f"Compatible with Redis. {_CLIENT}",
        packages=("valkey", "iovalkey"),
    ),
    _mysql(
        "mysql",
        "MySQL",
        "mysql:9",
        ("MYSQL",),
        alike=("mysql-server", "percona", "percona-server"),
        packages=(
            *("pymysql", "mysqlclient", "mysql-connector-python", "aiomysql", "asyncmy", "mysql2"),
            *("mysql-connector-j", "go-sql-driver/mysql", "mysqlconnector"),
        ),
    ),
    _mysql("mariadb", "MariaDB", "mariadb:11", ("MARIADB", "MYSQL"), packages=("mariadb",), also=("maria",)),
    KnownImage(
        "postgres",
        5432,
        "postgresql",
        alike=("postgresql", "postgis", "pgvector", "timescaledb"),
        probe=ProbeKind.POSTGRES,
        client='exec psql -U "${POSTGRES_USER:-postgres}" "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"',
        user=("POSTGRES_USER",),
        password=("POSTGRES_PASSWORD",),
        database=("POSTGRES_DB", "POSTGRES_USER"),
        defaults={"user": "postgres", "database": "postgres"},
        init=CatalogueEntry(
            "postgres",
            "PostgreSQL",
            _CLIENT,
            "postgres:17",
            {"data": "/var/lib/postgresql/data"},
            'pg_isready -q -h 127.0.0.1 -U "$$POSTGRES_USER" -d "$$POSTGRES_DB"',
            environment={
                "POSTGRES_USER": "${POSTGRES_USER:-app}",
                "POSTGRES_PASSWORD": "${POSTGRES_PASSWORD:-local-app}",
                "POSTGRES_DB": "${POSTGRES_DB:-app}",
            },
            extra=_SLOW_STOP,
            notes={
                "environment": _ONCE,
                "test": "Over TCP: during creation, it listens only on its socket file.",
            },
            packages=(
                *("psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "asyncpg", "pg8000", "pg"),
                *("postgres", "postgresql", "jackc/pgx", "lib/pq", "npgsql"),
            ),
            also=("postgresql",),
            relational=True,
        ),
    ),
    KnownImage(
        "mongo",
        27017,
        "mongodb",
        alike=("mongodb-community-server",),
        client='exec mongosh ${MONGO_INITDB_ROOT_USERNAME:+-u "$MONGO_INITDB_ROOT_USERNAME" '
        '-p "$MONGO_INITDB_ROOT_PASSWORD"}',
        user=("MONGO_INITDB_ROOT_USERNAME",),
        password=("MONGO_INITDB_ROOT_PASSWORD",),
        database=("MONGO_INITDB_DATABASE",),
        init=CatalogueEntry(
            "mongodb",
            "MongoDB",
            _CLIENT,
            "mongo:8",
            {"data": "/data/db", "config": "/data/configdb"},
            'mongosh --quiet -u "$$MONGO_INITDB_ROOT_USERNAME" -p "$$MONGO_INITDB_ROOT_PASSWORD" '
            '--eval "quit(db.adminCommand({ping: 1}).ok ? 0 : 1)"',
            interval=3,
            environment={
                "MONGO_INITDB_ROOT_USERNAME": "${MONGODB_USER:-app}",
                "MONGO_INITDB_ROOT_PASSWORD": "${MONGODB_PASSWORD:-local-app}",
                "MONGO_INITDB_DATABASE": "${MONGODB_DATABASE:-app}",
            },
            extra=_SLOW_STOP,
            notes={
                "environment": _ONCE,
                "test": "Logged in, like the application: the server that creates the user has no logins.",
            },
            packages=("pymongo", "motor", "mongoengine", "mongoose", "mongodb"),
            also=("mongo",),
        ),
    ),
    KnownImage(
        "rabbitmq",
        5672,
        "amqp",
        page=15672,
        user=("RABBITMQ_DEFAULT_USER",),
        password=("RABBITMQ_DEFAULT_PASS",),
        database=("RABBITMQ_DEFAULT_VHOST",),
        defaults={"user": "guest"},
        init=CatalogueEntry(
            "rabbitmq",
            "RabbitMQ",
            "Its management page is http://localhost:15672.",
            "rabbitmq:4-management",
            {"data": "/var/lib/rabbitmq"},
            ("rabbitmq-diagnostics", "-q", "check_port_connectivity"),
            interval=5,
            environment={
                "RABBITMQ_DEFAULT_USER": "${RABBITMQ_USER:-app}",
                "RABBITMQ_DEFAULT_PASS": "${RABBITMQ_PASSWORD:-local-app}",
            },
            extra=("hostname: rabbitmq # its data belongs to the node of this name", *_SLOW_STOP),
            packages=("pika", "aio-pika", "amqp", "amqplib"),
        ),
    ),
    KnownImage(
        "nats",
        4222,
        "nats",
        page=8222,
        init=CatalogueEntry(
            "nats",
            "NATS",
            "With JetStream. Its monitoring page is http://localhost:8222.",
            "nats:2-alpine",
            {"data": "/data"},
            ("wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8222/healthz"),
            command=("--jetstream", "--store_dir", "/data", "--http_port", "8222"),
            notes={"image": "The plain image has no program that could check its health."},
            packages=("nats-py", "nats"),
        ),
    ),
    KnownImage(
        "minio",
        9000,
        "http",
        probe=ProbeKind.HTTP,
        page=9001,
        user=("MINIO_ROOT_USER",),
        password=("MINIO_ROOT_PASSWORD",),
        init=CatalogueEntry(
            "minio",
            "MinIO",
            "Storage with an S3 interface. Its console is http://localhost:9001.",
            "minio/minio:RELEASE.2025-09-07T16-13-09Z",
            {"data": "/data"},
            ("mc", "ready", "local"),
            command=("server", "/data", "--console-address", ":9001"),
            environment={
                "MINIO_ROOT_USER": "${MINIO_USER:-app}",
                "MINIO_ROOT_PASSWORD": "${MINIO_PASSWORD:-local-app}",
            },
            notes={"environment": "For local use only. The password needs eight characters or more."},
            packages=("minio", "boto3", "aioboto3", "django-storages"),
            also=("s3",),
        ),
    ),
    KnownImage(
        "mailpit",
        1025,
        "smtp",
        alike=("mailhog",),
        probe=ProbeKind.HTTP,
        probe_port=8025,
        page=8025,
        init=CatalogueEntry(
            "mailpit",
            "Mailpit",
            "It catches all mail and forwards none. Read it at http://localhost:8025.",
            "axllent/mailpit:v1.27",
            {"data": "/data"},
            ("/mailpit", "readyz"),
            environment={
                "MP_DATABASE": "/data/mailpit.db",
                "MP_SMTP_AUTH_ACCEPT_ANY": '"1"',
                "MP_SMTP_AUTH_ALLOW_INSECURE": '"1"',
            },
            notes={"environment": "Any user and password are accepted, also without TLS."},
            packages=("flask-mail", "fastapi-mail", "nodemailer"),
            also=("mail",),
        ),
    ),
    KnownImage("memcached", 11211, "memcached"),
    KnownImage("elasticsearch", 9200, "http", ("opensearch",), ProbeKind.HTTP),
    KnownImage(
        "clickhouse-server",
        9000,
        "clickhouse",
        client="exec clickhouse-client",
        user=("CLICKHOUSE_USER",),
        password=("CLICKHOUSE_PASSWORD",),
        database=("CLICKHOUSE_DB",),
        defaults={"user": "default"},
    ),
    KnownImage("nginx", 80, "", ("httpd", "caddy", "traefik", "phpmyadmin", "wordpress"), ProbeKind.HTTP),
    KnownImage("adminer", 8080, probe=ProbeKind.HTTP),
    KnownImage("grafana", 3000, probe=ProbeKind.HTTP),
    KnownImage("prometheus", 9090, probe=ProbeKind.HTTP),
)
KNOWN_IMAGES: Mapping[str, KnownImage] = {image.name: image for image in _IMAGES}
_BY_NAME = {name: image for image in _IMAGES for name in (image.name, *image.alike)}


def known_image(reference: str) -> KnownImage | None:
    """By the image's name: `registry.example.com:5000/library/mysql:9@sha256:…` is a mysql."""
    return _BY_NAME.get(re.split("[:@]", reference.rpartition("/")[2])[0].lower())
