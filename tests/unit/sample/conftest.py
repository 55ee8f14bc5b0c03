"""The sample application, and servers that stand for a database which is away or silent."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.functional.conftest import find_free_port

SAMPLE = Path(__file__).parents[3] / "flask-sample"
sys.path.insert(0, str(SAMPLE))

from app import create_app  # noqa: E402


def databases_at(port: int) -> dict[str, str]:
    """The variables that make the sample look for both databases at this port."""
    return {
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(port),
        "MYSQL_HOST": "127.0.0.1",
        "MYSQL_PORT": str(port),
    }


@pytest.fixture
def app_without_databases() -> Flask:
    """The application, where connections to both databases are refused."""
    return create_app(databases_at(find_free_port()))


@pytest.fixture
def app_with_silent_databases() -> Iterator[Flask]:
    """The application, where both databases take connections and never say a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        yield create_app(databases_at(silent.getsockname()[1]))
