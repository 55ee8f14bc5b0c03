"""What the shells complete: tasks and flags as Invoke does, and the stack's services."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable

import pytest

from tests.functional.conftest import Project

STACK = """
    services:
      web: {image: IMAGE}
      worker: {image: IMAGE}
      cache: {image: IMAGE}
"""
_SHELLS = {
    "bash": """
        source <(python -m invoke_devstack completion bash)
        ask() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _invoke_devstack
            echo "${COMPREPLY[*]}"
        }
    """,
    "zsh": """
        compdef() { : }
        compadd() { shift; print -r -- ${(M)*:#${words[CURRENT]}*} }
        source <(python -m invoke_devstack completion zsh)
        ask() { words=("$@"); CURRENT=$#; _invoke_devstack }
    """,
    "fish": """
        python -m invoke_devstack completion fish | source
        function ask
            complete -C (string join ' ' -- $argv) | string join ' '
        end
    """,
}
QUESTIONS = {
    "invoke up -s ''": {"web", "worker", "cache"},
    "invoke up -s w": {"web", "worker"},
    "invoke up -s cache,we": {"cache,web"},
    "invoke exec ca": {"cache"},
    "invoke is": {"is-ready"},
    "invoke logs --fo": {"--follow"},
}


@pytest.mark.parametrize("shell", _SHELLS)
def test_services_complete_where_a_service_is_wanted_and_else_what_invoke_completes(
    new_project: Callable[..., Project], shell: str
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    project = new_project(STACK)
    asked = "\n".join(f"ask {question}" for question in QUESTIONS)
    ended = project.run(shell, "-c", f"{_SHELLS[shell]}\n{asked}\ntrue")
    assert ended.code == 0, ended.err
    answers = [{*line.split()} for line in ended.out.splitlines()]
    assert answers == list(QUESTIONS.values())


@pytest.mark.parametrize("shell", _SHELLS)
def test_the_words_of_a_command_in_a_container_are_not_completed_as_tasks(
    new_project: Callable[..., Project], shell: str
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} on this machine")
    ended = new_project(STACK).run(shell, "-c", f"{_SHELLS[shell]}\nask invoke exec web -- l\ntrue")
    assert (ended.code, ended.out.strip()) == (0, ""), ended.err


def test_a_shell_that_is_none_of_them_is_refused_with_the_usage(project: Project) -> None:
    ended = project.run(sys.executable, "-m", "invoke_devstack", "completion", "tcsh")
    assert (ended.code, ended.out) == (2, "")
    assert "bash|zsh|fish" in ended.err
