"""Reads the values of flags. Errors name the flag and give an example; Invoke's own end in a traceback."""

from __future__ import annotations

from collections.abc import Sequence

from invoke_devstack.errors import UsageError

STOP_HELP = "Seconds until a container is killed, instead of its grace period."
_UNITS = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "h": 3600.0}


_HIGHEST_PORT = 65535


def count(flag: str, text: str, *, word: str = "") -> int | None:
    """A whole number, 0 or more. None for "", and for the `word` that stands for no number. Raises
    UsageError."""
    if text in ("", word):
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"invalid number `{text}` for `--{flag}`", hint=f"Example: `--{flag} 100`.")
    return int(text)


def port(flag: str, text: str) -> int | None:
    """A port of this machine; 0 is a free one. None for "". Raises UsageError."""
    number = count(flag, text)
    if number is not None and number > _HIGHEST_PORT:
        raise UsageError(
            f"invalid port `{text}` for `--{flag}`", hint=f"The highest port is {_HIGHEST_PORT}."
        )
    return number


def seconds(flag: str, text: str) -> float | None:
    """A duration such as `30`, `1.5`, `500ms` or `2m`, in seconds. None for "". Raises UsageError."""
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
            f"invalid duration `{text}` for `--{flag}`", hint=f"Examples: `--{flag} 30`, `--{flag} 2m`."
        )
    return value


def not_empty(what: str, *texts: str) -> None:
    """Raises UsageError if one of `texts` is empty, as a variable that is not set leaves it."""
    if not all(text.strip() for text in texts):
        raise UsageError(f"empty {what}", hint="Is a variable empty?")


def choice(flag: str, text: str, allowed: Sequence[str]) -> str:
    """`text`, if it is one of `allowed`. Raises UsageError."""
    if text not in allowed:
        raise UsageError(f"invalid value `{text}` for `--{flag}`", hint=f"Use one of: {', '.join(allowed)}.")
    return text


def assignments(flag: str, values: Sequence[str]) -> dict[str, str | None]:
    """`KEY=VALUE` pairs. A KEY alone has None: its value comes from the environment. Raises UsageError."""
    pairs: dict[str, str | None] = {}
    for value in values:
        key, equals, content = value.partition("=")
        if not key:
            raise UsageError(f"invalid value `{value}` for `--{flag}`", hint="Write KEY=VALUE.")
        pairs[key] = content if equals else None
    return pairs


def at_most_one(**flags: object) -> None:
    """Raises UsageError if more than one of these flags is given."""
    given = [f"--{name.replace('_', '-')}" for name, value in flags.items() if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} cannot be combined", hint="Use one of them.")


def numbered(service: str, index: str) -> str:
    """A service with the number of one of its containers: `web` and `2` are `web.2`. Raises UsageError."""
    number = count("index", index)
    return f"{service}.{number}" if number else service


def scales(values: Sequence[str]) -> dict[str, int]:
    """`SERVICE=N` words: service -> N. Raises UsageError."""
    counts: dict[str, int] = {}
    for value in values:
        name, _, number = value.partition("=")
        if not name or not number.isascii() or not number.isdigit():
            raise UsageError(f"invalid scale `{value}`", hint="Write SERVICE=N, such as `web=3`.")
        counts[name] = int(number)
    return counts


def signal_name(text: str) -> str:
    """A signal as the engine accepts it: `HUP` becomes SIGHUP, `15` stays. Raises UsageError."""
    import signal

    name = text.upper()
    if name.isdigit():
        known = name in {str(int(item)) for item in signal.Signals}
    else:
        name = name if name.startswith("SIG") else f"SIG{name}"
        known = name in signal.Signals.__members__ or name.startswith("SIGRT")
    if not known:
        raise UsageError(f"unknown signal `{text}`", hint="Examples: SIGTERM, SIGHUP, SIGUSR1, 9.")
    return name
