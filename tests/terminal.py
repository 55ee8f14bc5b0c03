"""Commands on a pseudo-terminal, for the tests of what a person sees and types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pexpect

if TYPE_CHECKING:
    _Spawn = pexpect.spawn[str]
else:
    _Spawn = pexpect.spawn

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(_Spawn):
    """A command on a terminal of its own; `rows_columns` is its size. The end of a `with` kills it."""

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        timeout: float = 90.0,
        rows_columns: tuple[int, int] = (30, 100),
    ) -> None:
        super().__init__(
            words[0],
            list(words[1:]),
            cwd=str(folder),
            env=environment,
            encoding="utf-8",
            timeout=timeout,
            dimensions=rows_columns,
        )

    def __enter__(self) -> Self:
        return self

    def group(self, number: int = 1) -> str:
        """This group of what was expected last."""
        assert isinstance(self.match, re.Match)
        return str(self.match[number])

    @property
    def shown(self) -> str:
        """What came before the text that was expected last."""
        return self.before or ""

    @property
    def plain(self) -> str:
        """The same, without escape sequences."""
        return _ESCAPES.sub("", self.shown)

    def end(self) -> int | None:
        """The exit code, once the command has ended; `shown` is then the rest of its output."""
        self.expect(pexpect.EOF)
        self.close()
        return self.exitstatus

    def hang_up(self) -> int | None:
        """Takes the other end away, as a closed window does; returns the exit code."""
        pty = self.ptyproc  # type: ignore[attr-defined]  # missing from the stubs
        pty.fileobj.close()
        code = pty.wait()
        self.closed = pty.closed = True
        return None if code is None else int(code)
