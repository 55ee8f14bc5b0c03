"""The variables that tell an application where its servers are, in the form that its driver reads. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from invoke_devstack.setup.scaffold.catalogue import Server
from invoke_devstack.setup.scaffold.look import Findings

_SQLALCHEMY = frozenset({"sqlalchemy", "flask-sqlalchemy", "sqlmodel", "alembic", "databases"})
_DRIVERS = {
    # scheme -> drivers of SQLAlchemy that need their name in it, the asynchronous ones first
    "postgresql": ("asyncpg", "psycopg", "pg8000"),
    "mysql": ("asyncmy", "aiomysql", "pymysql"),
}
_PART = r"((?:\$\{[^}]*\}|[^:@/])+)"
_LOGIN = re.compile(rf"^(\w+)://{_PART}:{_PART}@(.+)$")


def variables_for(app: Findings, servers: Sequence[Server]) -> dict[str, str]:
    """The first relational server is `DATABASE_URL`."""
    found: dict[str, str] = {}
    for server in servers:
        own = {name: _driven(url, app.packages) for name, url in server.variables().items()}
        if server.entry.relational:
            own |= _of_framework(app.framework, own["DATABASE_URL"])
        found = {**own, **found}
    return dict(sorted(found.items()))


def _driven(url: str, packages: frozenset[str]) -> str:
    """SQLAlchemy's form, with the driver: without it, it takes one that is not installed."""
    scheme, _, rest = url.partition("://")
    driver = next((name for name in _DRIVERS.get(scheme, ()) if name in packages), "")
    return f"{scheme}+{driver}://{rest}" if driver and packages & _SQLALCHEMY else url


def _of_framework(framework: str, url: str) -> dict[str, str]:
    """Spring reads JDBC's form with the login apart, and Laravel the name of its driver and `DB_URL`."""
    login = _LOGIN.match(url)
    if framework == "spring" and login:
        scheme, user, password, place = login.groups()
        return {
            "SPRING_DATASOURCE_URL": f"jdbc:{scheme}://{place}",
            "SPRING_DATASOURCE_USERNAME": user,
            "SPRING_DATASOURCE_PASSWORD": password,
        }
    if framework == "laravel":
        return {"DB_CONNECTION": "pgsql" if url.startswith("postgres") else "mysql", "DB_URL": url}
    return {}
