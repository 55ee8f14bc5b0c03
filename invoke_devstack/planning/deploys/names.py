"""The labels and names of what a stack has on a swarm. Those of `docker stack` are its own, so that its
commands see the stack: https://docs.docker.com/reference/cli/docker/stack/."""

from __future__ import annotations

import hashlib

STACK = "com.docker.stack.namespace"
IMAGE = "com.docker.stack.image"

KEY = "dev.invoke-devstack.deploy.key"
"""On a config, secret or network: its key in the Compose file."""
LOCAL_IMAGE = "dev.invoke-devstack.deploy.image-id"
"""On containers of an image that no registry has: which one it is, because its name does not tell."""
REVISION = "dev.invoke-devstack.deploy.revision"
"""On the config that holds a revision: its number."""
OUTCOME = "dev.invoke-devstack.deploy.outcome"
"""On a revision: how it ended, an `Outcome`."""
ABOUT = "dev.invoke-devstack.deploy.about"
"""On a revision: who made it, when and what for, as JSON."""
LOCK = "dev.invoke-devstack.deploy.lock"
"""On the config that is the lock: who has it."""
BEAT = "dev.invoke-devstack.deploy.beat"
"""On the lock: changes as long as its holder lives."""

_LONGEST = 63  # characters of a name
_HASH = 12


def service_name(stack: str, service: str) -> str:
    return f"{stack}_{service}"


def short_name(stack: str, name: str) -> str:
    """The service's name in the Compose file."""
    return name.removeprefix(f"{stack}_")


def revision_name(stack: str, number: int) -> str:
    return f"{stack}_devstack-revision-{number}"


def lock_name(stack: str) -> str:
    return f"{stack}_devstack-lock"


def hashed_name(name: str, content: bytes) -> str:
    """`name` with the hash of the content, which no other content shares."""
    digest = hashlib.sha256(content).hexdigest()[:_HASH]
    return f"{name[: _LONGEST - _HASH]}-{digest}"
