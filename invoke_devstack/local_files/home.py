"""The home directory. Some have none: a number without a user, such as `docker run --user 1234` or cron in a
container gives, with no HOME."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def home_folder(environment: Mapping[str, str] | None = None) -> Path:
    """HOME, or what the system knows of the user; without either the root directory, as in a container."""
    given = (os.environ if environment is None else environment).get("HOME")
    if given:
        return Path(given)
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")
