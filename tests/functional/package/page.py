"""A page of commands, followed as a reader does: what it says, and a shell to say it to."""

from __future__ import annotations

import re
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

PATIENCE = 60.0  # seconds: an edit arrives, the server reloads
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
BASH = ("bash", "--norc", "--noprofile")


class Shell:
    """A bash that stays, as in a terminal: its folder, its variables, its jobs. `words` start it, here or on
    another machine; `transcript` is all that was typed and said."""

    def __init__(
        self, folder: Path, environment: dict[str, str] | None = None, words: Sequence[str] = BASH
    ) -> None:
        self.transcript: list[str] = []
        self.process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str) -> str:
        """Its output, when it has ended with 0."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        mark = secrets.token_hex(8)
        self.process.stdin.write(f"{{ {command}\n}} </dev/null\ncode=$?; echo; echo {mark} $code\n")
        self.process.stdin.flush()
        self.transcript.append(f"$ {command}\n")
        lines: list[str] = []
        for line in self.process.stdout:
            if line.startswith(mark):
                self.transcript += lines
                assert line.split() == [mark, "0"], f"{command}\n{''.join(lines)}"
                break
            lines.append(line)
        return "".join(lines)

    def wait_for(self, text: str) -> None:
        """Reads on until a job says this."""
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            self.transcript.append(line)
            if text in line:
                return
        raise AssertionError("".join(seen))

    def end(self) -> None:
        self.run("kill $(jobs -p) 2>/dev/null; wait")
        self.process.communicate("exit\n", timeout=PATIENCE)


def follow(page: Path, shell: Shell, write: Callable[[str, str], None], here: Mapping[str, str]) -> list[str]:
    """Does all that the page says, and returns the commands. `write` gets the name and the text of a file;
    `here` has what is said otherwise than on the page."""
    ran = []
    for kind, command, expected in steps(page):
        if kind == "file":
            write(command, expected)
            continue
        for on_page, own in here.items():
            command = command.replace(on_page, own)
        if expected:
            run_until_shown(shell, command, expected)
        else:
            shell.run(command)
        if command.endswith("&"):
            shell.wait_for("watching")
        ran.append(command)
    shell.end()
    return ran


def steps(page: Path) -> Iterator[tuple[str, str, str]]:
    """(language, command, what it prints) of each command, and ("file", its name, its text) of each file."""
    for match in _BLOCK.finditer(page.read_text("utf-8")):
        language, text = match[1], match[2]
        if language == "console":
            yield from ((language, found[1], found[2]) for found in _COMMAND.finditer(text))
        else:
            first, _, rest = text.partition("\n")
            yield "file", first.removeprefix("# "), rest


def shape(text: str) -> re.Pattern[str]:
    """The text, with any number for each of its numbers."""
    return re.compile(re.sub(r"\d+", r"\\d+", re.escape(text.strip())))


def run_until_shown(shell: Shell, command: str, expected: str) -> None:
    """An edit takes a moment: the command is given again until it shows what the page says."""
    end = time.monotonic() + PATIENCE
    while not shape(expected).search(shown := shell.run(f"{command} || true")):
        assert time.monotonic() < end, f"{command}\n{shown}"
        time.sleep(0.2)
