"""What the sample is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Where the two databases are, and how to reach them."""

    redis_host: str
    redis_port: int
    mysql_host: str
    mysql_port: int
    mysql_user: str
    mysql_password: str
    mysql_database: str
    secret_key: str
    debug: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Reads the variables; the defaults are the names and ports of the Compose files."""
        return cls(
            redis_host=environ.get("REDIS_HOST", "redis"),
            redis_port=int(environ.get("REDIS_PORT", "6379")),
            mysql_host=environ.get("MYSQL_HOST", "mysql"),
            mysql_port=int(environ.get("MYSQL_PORT", "3306")),
            mysql_user=environ.get("MYSQL_USER", "sample"),
            mysql_password=environ.get("MYSQL_PASSWORD", ""),
            mysql_database=environ.get("MYSQL_DATABASE", "sample"),
            secret_key=environ.get("SECRET_KEY", ""),
            debug=environ.get("FLASK_DEBUG") == "1",
        )
