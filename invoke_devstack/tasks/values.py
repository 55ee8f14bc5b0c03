"""Values of flags, read with an error that a person understands. Invoke's own reading ends in a traceback."""

from __future__ import annotations

from collections.abc import Sequence

from invoke_devstack.errors import UsageError

_UNITS = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "h": 3600.0}


def count(flag: str, text: str) -> int | None:
    """A number of 0 or more; None for an empty text and for `all`."""
    if text in ("", "all"):
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"`--{flag}` takes a number, not `{text}`", hint=f"For example `--{flag} 100`.")
    return int(text)


def seconds(flag: str, text: str) -> float | None:
    """A time such as `30`, `1.5`, `500ms` or `2m`, in seconds; None for an empty text."""
    if not text:
        return None
    number = text.rstrip("smh")
    unit = text[len(number) :]
    try:
        value = float(number) * _UNITS[unit]
    except (ValueError, KeyError):
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(
            f"`--{flag}` takes seconds, not `{text}`", hint=f"For example `--{flag} 30`, or `2m`."
        )
    return value


def choice(flag: str, text: str, allowed: Sequence[str]) -> str:
    """One of `allowed`."""
    if text not in allowed:
        raise UsageError(f"`--{flag}` is one of {', '.join(allowed)}, not `{text}`")
    return text


def assignments(flag: str, values: Sequence[str]) -> dict[str, str | None]:
    """`KEY=VALUE` pairs; a KEY alone is None: it is taken from the environment."""
    pairs: dict[str, str | None] = {}
    for value in values:
        key, equals, content = value.partition("=")
        if not key:
            raise UsageError(f"`--{flag}` takes KEY=VALUE, not `{value}`")
        pairs[key] = content if equals else None
    return pairs


def at_most_one(**flags: object) -> None:
    """Refuses flags that exclude one another."""
    given = [f"--{name.replace('_', '-')}" for name, value in flags.items() if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude one another", hint="Give one of them.")


def signal_name(text: str) -> str:
    """A signal by name or number, as the engine takes it: `HUP` is SIGHUP, `15` SIGTERM."""
    import signal

    name = text.upper()
    if name.isdigit():
        known = name in {str(int(item)) for item in signal.Signals}
    else:
        name = name if name.startswith("SIG") else f"SIG{name}"
        known = name in signal.Signals.__members__ or name.startswith("SIGRT")
    if not known:
        raise UsageError(f"there is no signal `{text}`", hint="For example SIGTERM, SIGHUP, SIGUSR1 or 9.")
    return name
