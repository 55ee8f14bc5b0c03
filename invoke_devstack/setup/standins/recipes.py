"""The official images that have a stand-in, and how it is built.

A stand-in keeps what the official image documents: https://hub.docker.com/_/redis,
https://hub.docker.com/_/mysql and https://hub.docker.com/_/python.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to build a stand-in. `reference` is the image that it replaces, `aliases` are other names of that
    image; `suite` is the Debian release of `packages`; `left_out` are paths that are not installed; `changes`
    are Dockerfile instructions; `folder` holds its scripts."""

    reference: str
    suite: str
    packages: tuple[str, ...]
    changes: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.reference.partition(":")[0]

    @property
    def folder(self) -> Path:
        return Path(__file__).parent / self.name


REDIS = Recipe(
    reference="redis:8",
    aliases=("redis", "redis:latest"),
    suite="trixie",
    packages=("redis-server", "redis-tools", "ca-certificates"),
    changes=(
        "WORKDIR /data",
        "VOLUME /data",
        "EXPOSE 6379",
        'ENTRYPOINT ["docker-entrypoint.sh"]',
        'CMD ["redis-server"]',
    ),
)

MYSQL = Recipe(
    reference="mysql:9",
    aliases=("mysql", "mysql:latest"),
    suite="sid",
    packages=("mysql-server-core", "mysql-client-core", "tzdata", "ca-certificates"),
    left_out=(
        "/usr/share/perl/*",
        "/usr/lib/*/perl/*",
        "/usr/lib/mysql/plugin/group_replication.so",
        *(f"/usr/bin/{tool}" for tool in ("ibd2sdi", "innochecksum", "mysql_migrate_keyring", "mysqlslap")),
        *(f"/usr/bin/myisam{tool}" for tool in ("_ftdump", "chk", "log", "pack")),
    ),
    changes=(
        "VOLUME /var/lib/mysql",
        # One port per instruction, for Podman.
        "EXPOSE 3306",
        "EXPOSE 33060",
        'ENTRYPOINT ["docker-entrypoint.sh"]',
        'CMD ["mysqld"]',
    ),
)

PYTHON = Recipe(
    reference="python:3.13-slim",
    aliases=("python", "python:latest", "python:slim", "python:3", "python:3-slim", "python:3.13"),
    suite="trixie",
    packages=("python3", "python3-venv", "ca-certificates", "netbase", "tzdata", "passwd"),
    changes=(
        "ENV LANG=C.UTF-8",
        # pip, requests and ssl each use their own variable.
        f"ENV PIP_CERT={CA_BUNDLE} REQUESTS_CA_BUNDLE={CA_BUNDLE} SSL_CERT_FILE={CA_BUNDLE}",
        'CMD ["python3"]',
    ),
)

RECIPES = (REDIS, MYSQL, PYTHON)


def find_recipe(reference: str) -> Recipe | None:
    """The stand-in for an image, if there is one."""
    short = reference.removeprefix("docker.io/").removeprefix("library/")
    for recipe in RECIPES:
        if short == recipe.reference or short in recipe.aliases:
            return recipe
    return None
