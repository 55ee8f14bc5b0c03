"""What is needed where there is no tasks.py, or none is wanted: `python -m invoke_devstack`.

init …                      a first stack for the project that is here, as `invoke init`
makefile                    the path of the Make rules, for `include $(shell ...)`
completion bash|zsh|fish    a script that completes tasks, flags and services
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
    """Answers on stdout; 2 for words that are none of these."""
    match words:
        case ["makefile"]:
            sys.stdout.write(f"{Path(__file__).parent / 'tasks' / 'devstack.mk'}\n")
        case ["completion", shell]:
            from invoke_devstack.tasks.completion import script

            return _tell(script(shell))
        case ["init", *_]:
            _run_task(words)
        case _:
            return _tell("")
    return 0


def _tell(text: str) -> int:
    sys.stdout.write(text)
    if not text:
        sys.stderr.write(f"{USAGE}\n")
    return 0 if text else 2


def _run_task(words: list[str]) -> None:
    """Runs a task of ours in the folder of the caller. Invoke's program ends the process itself when the
    task fails."""
    from invoke.program import Program

    from invoke_devstack import __version__, stack

    program = Program(version=__version__, namespace=stack(Path.cwd()), name="invoke-devstack")
    program.run(["invoke-devstack", *words])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
