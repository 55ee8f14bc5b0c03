from __future__ import annotations

import os
import subprocess
import sys

STATE = """
def state():
    import gc, sys
    collector = [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()]
    return [sys.dont_write_bytecode, atexit._ncallbacks(), threading.excepthook, *collector]
"""


def run(code: str, *flags: str) -> list[str]:
    """What the code prints: a line each."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, *flags, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.splitlines()


def test_importing_changes_nothing_of_the_host_process() -> None:
    first, second = run(
        f"import atexit, sys, threading, invoke.program\nsys.dont_write_bytecode = True\n{STATE}\n"
        "print(state())\nimport invoke_devstack; invoke_devstack.stack\nprint(state())"
    )
    assert first == second


def test_importing_leaves_a_collector_off_that_was_off() -> None:
    (line,) = run(
        "import gc; gc.disable(); import invoke_devstack; invoke_devstack.stack; print(gc.isenabled())"
    )
    assert line == "False"


def test_a_command_caches_compiled_modules_unless_python_was_told_not_to() -> None:
    code = (
        "import sys; sys.dont_write_bytecode = True\n"
        "from invoke_devstack.tasks.declare import prepare_process\n"
        "prepare_process(); print(sys.dont_write_bytecode)"
    )
    assert run(code) + run(code, "-B") == ["False", "True"]
