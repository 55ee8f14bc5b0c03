"""Which names look like a secret's, and how values are masked."""

from __future__ import annotations

import pytest

from invoke_devstack.secrets import MASK, looks_secret, masked


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "MYSQL_ROOT_PASSWORD",
        "db_pass",
        "PGPASSWORD",
        "API_KEY",
        "apiKey",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "secretKey",
        "SENTRY_DSN",
        "JWT_SECRET",
        "CREDENTIALS",
        "PRIVATE_KEY",
        "client-secret",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "DEBUG",
        "MYSQL_USER",
        "PATH",
        "KEYBOARD",
        "MONKEY",
        "COMPASS",
        "BYPASS_CACHE",
        "AUTHOR",
        "PASSWORD_FILE",
        "TOKEN_PATH",
    ],
)
def test_names_that_hold_none(name: str) -> None:
    assert not looks_secret(name)


def test_values_are_masked_by_name_and_passwords_in_addresses_by_place() -> None:
    assert masked("PASSWORD", "x") == MASK
    assert masked("PORT", "80") == "80"
    assert masked("URL", "redis://:pw@cache:6379/0") == f"redis://:{MASK}@cache:6379/0"
    assert masked("URL", "https://example.org/a:b@c") == "https://example.org/a:b@c"
