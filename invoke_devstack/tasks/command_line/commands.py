"""The command for a container, as `exec` and `run` get it."""

from __future__ import annotations

import shlex
import sys

from invoke.context import Context

from invoke_devstack.errors import UsageError


def words_of_command(context: Context, command: str) -> tuple[str, ...]:
    """The command for a container: `command`, as `Rewriting` joined its words, or the words after `--`. If
    both are given, `--` is a word of the command."""
    words, after = words_in("command", command), _words_after_dashes(context)
    if words and after and words[0].startswith("-"):
        raise UsageError(f"unknown flag `{words[0]}`", hint="Put flags before the service.")
    return (*words, "--", *after) if words and after else (*words, *after)


def words_in(flag: str, text: str) -> tuple[str, ...]:
    """The words of a flag's value, as a shell reads them. Raises UsageError."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        hint = "A quotation mark is not closed." if "quot" in str(error) else str(error)
        raise UsageError(f"invalid value `{text}` for `--{flag}`", hint=hint) from None


def _words_after_dashes(context: Context) -> tuple[str, ...]:
    """The words after `--`, exactly as typed.

    Invoke joins them with spaces (pyinvoke/invoke 732). If the result is that of this process's arguments,
    those are used, which keeps the quoting.
    """
    remainder = str(context.remainder)
    typed = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    return tuple(typed) if " ".join(typed) == remainder else tuple(shlex.split(remainder))
