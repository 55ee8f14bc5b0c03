"""`python -m invoke_devstack`, for what works without a tasks.py.

init …                      writes a first stack, like `invoke init`
makefile                    prints the path of the Make rules, for `include $(shell ...)`
completion bash|zsh|fish    prints a script that completes tasks, flags and services
"""

from __future__ import annotations

import sys
from pathlib import Path

USAGE = (
    "usage: python -m invoke_devstack init [--services NAMES] [--yes]\n"
    "       python -m invoke_devstack makefile\n"
    "       python -m invoke_devstack completion bash|zsh|fish"
)


def main(words: list[str]) -> int:
    """Prints the answer. Returns 0, 2 for unknown words, or 1 for an error."""
    match words:
        case ["makefile"]:
            return _print(f"{Path(__file__).parent / 'tasks' / 'devstack.mk'}\n")
        case ["completion", shell]:
            from invoke_devstack.tasks.completion import script

            return _print(script(shell))
        case ["init", *_]:
            return _run_task(words)
        case _:
            return _print("")


def _print(text: str) -> int:
    from invoke_devstack.console.screen import Screen, Unwritable, standard
    from invoke_devstack.local_files.failures import unwritable

    err = Screen.of(standard("stderr"))
    try:
        if text:
            Screen.of(standard("stdout")).write(text)
            return 0
        err.write_line(USAGE)
    except Unwritable as lost:
        if lost.screen.stream is not err.stream:
            err.write_line(f"error: {unwritable(lost.error).message}")
        return 1
    return 2


def _run_task(words: list[str]) -> int:
    """Runs a task in the current directory. Invoke's program exits by itself if the task fails."""
    from invoke.program import Program

    from invoke_devstack import __version__, stack

    try:
        directory = Path.cwd()
    except FileNotFoundError as gone:
        return _refuse(gone)
    program = Program(version=__version__, namespace=stack(directory), name="invoke-devstack")
    program.run(["invoke-devstack", *words])
    return 0


def _refuse(error: OSError) -> int:
    from invoke_devstack.console.screen import Screen, standard
    from invoke_devstack.local_files.failures import file_error

    told = file_error(error)
    Screen.of(standard("stderr")).write_line(f"error: {told.message}\nhint: {told.hint}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
