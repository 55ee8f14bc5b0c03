"""Shell scripts that complete tasks and flags as Invoke's own do, and the services after them, which
Invoke cannot: it asks no task for the values of its flags."""

from __future__ import annotations

from pathlib import Path

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """The script for `shell`, "" for one that is none of SHELLS."""
    if shell not in SHELLS:
        return ""
    text = Path(__file__).with_name(f"completion.{shell}").read_text("utf-8")
    return text.replace("@TAKES_SERVICE@", " ".join(takes_service()))


def takes_service() -> tuple[str, ...]:
    """The tasks whose first word is a service."""
    from invoke_devstack.tasks.namespace import stack

    namespace = stack()
    names = []
    for name in namespace.task_names:
        positional = [argument.name for argument in namespace[name].get_arguments() if argument.positional]
        if positional[:1] == ["service"]:
            names.append(name.rpartition(".")[2])
    return tuple(dict.fromkeys(names))
