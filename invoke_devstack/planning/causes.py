"""Why an action is in a plan: a kind for programs and decisions, a sentence for people."""

from __future__ import annotations

from enum import StrEnum

from invoke_devstack.records import record


class CauseKind(StrEnum):
    """Documented in docs/json.md, as `cause_kind` of `action.started`."""

    COMMAND = "command"  # the command does just this: `stop`, `pull`
    OPTION = "option"  # an option of the command: `--build`, `--force-recreate`
    MISSING = "missing"  # it does not exist yet
    IMAGE = "image"  # another image, or an image policy
    DEFINITION = "definition"  # the Compose files changed
    FILES = "files"  # watched files changed
    SCALE = "scale"  # more or fewer containers
    STATE = "state"  # the container is stopped, paused, not ready
    DEPENDENCY = "dependency"  # another service is recreated or restarted
    NETWORK = "network"
    VOLUME = "volume"
    PORT = "port"
    REPLACEMENT = "replacement"  # a step in replacing a container or a network
    HOOK = "hook"
    LEFTOVER = "leftover"  # of an interrupted command
    ORPHAN = "orphan"  # its service is not in the Compose files


@record
class Cause:
    """`text` reads well in parentheses. `changed` names what of a service's definition changed, such as
    `environment.DEBUG`."""

    kind: CauseKind
    text: str
    changed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


def by_command(name: str) -> Cause:
    """Of an action that is what the command `name` does."""
    return Cause(CauseKind.COMMAND, name)


def by_option(flag: str) -> Cause:
    return Cause(CauseKind.OPTION, flag)


def missing(what: str) -> Cause:
    """`what`: image, network, volume, container."""
    return Cause(CauseKind.MISSING, f"no {what} yet")


def by_state(text: str) -> Cause:
    return Cause(CauseKind.STATE, text)
