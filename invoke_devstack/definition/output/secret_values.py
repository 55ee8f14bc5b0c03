"""Finds the secrets that a definition and its files hold, so that nothing that is printed shows them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.syntax.dotenv import DECLARATION
from invoke_devstack.errors import DevstackError
from invoke_devstack.late_patterns import late
from invoke_devstack.local_files.reading import text_if_any
from invoke_devstack.secrets import SecretValues, looks_secret

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.part import Part
    from invoke_devstack.definition.attributes.resources import Secret
    from invoke_devstack.definition.model import Definition

_LARGEST = 1 << 18  # bytes of a file that is searched
_NAMES_OF_PEOPLE = late(r"(?:^|_)(?:user|username|database|db|name)$", re.IGNORECASE)


def learn_definition(values: SecretValues, definition: Definition) -> None:
    """All that a definition has under names of secrets, in URLs and in its secrets."""
    values.spare(_names(definition))
    _learn_variables(values, definition.environment)
    for parts in (definition.all_services, definition.networks, definition.volumes, definition.configs):
        _learn_parts(values, parts.values())
    _learn_parts(values, (*definition.secrets.values(), *definition.models.values()))
    values.learn(definition.extensions)


def learn_variables(values: SecretValues, directory: Path, files: Sequence[Path]) -> tuple[Path, ...]:
    """The variables that a definition would be read with. Returns the files that it would be read from."""
    from invoke_devstack.definition.reading.discover import discover

    try:
        sources = discover(directory, files)
    except (DevstackError, OSError):  # nothing is printed before the secrets are known: not even why
        _learn_variables(values, os.environ)
        return (directory / ".env", *files)
    _learn_variables(values, sources.environment)
    return (*sources.env_files, *sources.files)


def learn_texts(values: SecretValues, files: Iterable[Path]) -> None:
    """What can be found in the text of files that cannot be read as a definition."""
    for file in dict.fromkeys(files):
        _learn_lines(values, text_if_any(file, _LARGEST))


def _learn_lines(values: SecretValues, text: str) -> None:
    values.learn(text)
    for line in text.splitlines():
        declared = DECLARATION.match(line)
        if declared and declared["value"]:
            values.learn(declared["value"].strip().strip("\"'"), declared["name"])


def _learn_variables(values: SecretValues, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        if "://" in value or (looks_secret(name) and name != "PWD"):
            values.learn(value, name)


def _learn_parts(values: SecretValues, parts: Iterable[Part]) -> None:
    # Not imported for a command that reads no definition, which has its variables to hide.
    from invoke_devstack.definition.attributes.resources import Secret

    for part in parts:
        if isinstance(part, Secret):
            _learn_secret(values, part)
        for item in vars(part).values():
            _learn_item(values, item)


def _learn_item(values: SecretValues, item: Any) -> None:
    """A part's keys are Compose's own: only what stands below them has names to judge by."""
    from invoke_devstack.definition.attributes.part import Part

    if isinstance(item, Part):
        _learn_parts(values, (item,))
    elif isinstance(item, Mapping) and any(isinstance(value, Part) for value in item.values()):
        _learn_parts(values, (value for value in item.values() if isinstance(value, Part)))
    elif isinstance(item, tuple | list) and any(isinstance(value, Part) for value in item):
        _learn_parts(values, (value for value in item if isinstance(value, Part)))
    else:
        values.learn(item)


def _learn_secret(values: SecretValues, secret: Secret) -> None:
    content = secret.content or (text_if_any(Path(secret.file), _LARGEST) if secret.file else "")
    values.add(content)
    values.learn(content)


def _names(definition: Definition) -> set[str]:
    """What things and people are called: a password that equals one of these would make other lines
    unreadable."""
    found = {definition.name, *definition.all_services, *definition.volumes, *definition.networks}
    for service in definition.all_services.values():
        found |= set(re.split(r"[/:@]", service.image_name(definition.name)))
        found |= {
            value for name, value in service.environment.items() if value and _NAMES_OF_PEOPLE.search(name)
        }
    return found
