"""Pulls and pushes: progress in layers and bytes, another try after a passing fault, and a message that
tells the reasons of a failure apart."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from invoke_devstack.engine.api import Api
from invoke_devstack.engine.failures import DISK_HINT
from invoke_devstack.engine.protocol import OnProgress, Progress
from invoke_devstack.engine.references import DOCKER_HUB, Reference
from invoke_devstack.errors import EngineError, EngineUnavailableError, ImageUnavailableError

TRIES = 3
FIRST_PAUSE = 0.5  # seconds; doubled for each further try
PASSING = frozenset({"broken", "busy"})


def transfer(
    api: Api,
    reference: Reference,
    path: str,
    params: Mapping[str, Any],
    on_progress: OnProgress,
    *,
    verb: str,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Sends the request of a pull or push and follows it to its end. Raises ImageUnavailableError."""
    pause = FIRST_PAUSE
    for attempt in range(1, TRIES + 1):
        try:
            _follow(api, reference, path, params, on_progress)
            return
        except EngineUnavailableError:
            raise
        except EngineError as error:
            failure = explain(reference, error.message, verb=verb)
            if attempt == TRIES or failure.reason not in PASSING:
                raise failure from error
        on_progress(Progress(item="", text=f"trying again in {pause:g} s: {failure.message}"))
        sleep(pause)
        pause *= 2


def _follow(
    api: Api, reference: Reference, path: str, params: Mapping[str, Any], on_progress: OnProgress
) -> None:
    headers = {"X-Registry-Auth": credentials(reference)}
    answer = api.send(
        "POST",
        path,
        params,
        headers={key: value for key, value in headers.items() if value},
        stream=True,
        seconds=None,
    )
    report(api.lines(answer), on_progress)


def report(lines: Iterator[Any], on_progress: OnProgress) -> None:
    """Turns the engine's progress messages into ours. Raises EngineError with the engine's word."""
    for line in lines:
        if "error" in line:
            raise EngineError(str(line["error"]))
        detail = line.get("progressDetail") or {}
        if "status" not in line:
            continue
        on_progress(
            Progress(
                item=str(line.get("id", "")),
                text=str(line["status"]),
                done=detail.get("current"),
                total=detail.get("total"),
                unit="bytes" if "current" in detail else "",
            )
        )


def credentials(reference: Reference) -> str:
    """The header for the registry from Docker's configuration and credential helpers. A helper that
    fails gives none: public images need none, and a refusal is told anyway."""
    from docker import auth
    from docker.errors import DockerException

    warnings.filterwarnings("ignore", module="docker.credentials")
    try:
        known = auth.resolve_authconfig(auth.load_config(), reference.registry)
    except (DockerException, OSError, ValueError):
        known = None
    return str(auth.encode_header(known or {}).decode())


def all_credentials() -> str:
    """The header of a build, which may pull from any registry: all that Docker's configuration has."""
    from docker import auth
    from docker.errors import DockerException

    try:
        config: Any = auth.load_config()
        known = config.get_all_credentials()
    except (DockerException, OSError, ValueError):
        known = {}
    return str(auth.encode_header(known).decode())


def explain(reference: Reference, message: str, *, verb: str) -> ImageUnavailableError:
    """Why an image could not be pulled or pushed, for a person. `verb`: pulled, pushed."""
    reason = next((name for name, pattern in _REASONS if pattern.search(message)), "")
    registry = "Docker Hub" if reference.registry == DOCKER_HUB else reference.registry
    what, hint = _WORDS.get(reason, ("{message}", "`invoke doctor` looks at the way to the registry."))
    return ImageUnavailableError(
        f"{reference} cannot be {verb}: {what}".format(registry=registry, message=message),
        hint=hint.format(registry=registry, host=reference.registry, reference=reference),
        details=(message,) if reason else (),
        reason=reason,
    )


_REASONS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        ("rate-limit", r"toomanyrequests|pull rate limit|\b429\b|too many requests"),
        ("disk", r"no space left on device"),
        ("tls", r"x509:|certificate|tls: |server gave HTTP response to HTTPS client"),
        ("platform", r"no matching manifest|does not match the specified platform|no match for platform"),
        ("denied", r"unauthorized: (incorrect|authentication)|incorrect username|no basic auth credentials"),
        (
            "missing",
            r"manifest .*(unknown|not found)|not found: manifest|name unknown|repository .* not found"
            r"|pull access denied|does not exist|failed to resolve reference .*: not found",
        ),
        ("denied", r"unauthorized|denied|forbidden|\b401\b|\b403\b"),
        (
            "registry",
            r"no such host|server misbehaving|lookup .*|connection refused|no route to host"
            r"|network is unreachable|i/o timeout|Client\.Timeout|deadline exceeded|TLS handshake timeout"
            r"|proxyconnect",
        ),
        ("busy", r"\b50[0234]\b|Service Unavailable|Bad Gateway|Internal Server Error"),
        (
            "broken",
            r"unexpected EOF|\bEOF\b|connection reset|broken pipe|filesystem layer verification failed",
        ),
    )
)

_WORDS: Mapping[str, tuple[str, str]] = {
    "rate-limit": (
        "{registry} gives no more images to this address for now (rate limit)",
        "Log in, which raises the limit (docker login), wait some hours, or set devstack.registry_mirror.",
    ),
    "disk": (
        "the engine's disk is full",
        DISK_HINT,
    ),
    "tls": (
        "the certificate of {registry} is not trusted",
        "A network that re-signs TLS needs its certificate on the engine's host: `invoke doctor` says which; "
        "for a registry of your own put it into /etc/docker/certs.d/{host}/ca.crt.",
    ),
    "platform": (
        "{registry} has it for other processors or systems alone",
        "Name one that it has with `platform:` in the definition, such as linux/amd64.",
    ),
    "missing": (
        "{registry} has no such image or tag, or it is private",
        "Look at the name and the tag for a typing error; for a private image: docker login {host}",
    ),
    "denied": (
        "{registry} refuses the login or the access",
        "Log in with an account that may: docker login {host}",
    ),
    "registry": (
        "{registry} is out of reach",
        "Look at the network, VPN or proxy (`invoke doctor` does). Without a registry, "
        "`invoke setup` makes stand-ins for common images, and devstack.registry_mirror names a mirror.",
    ),
    "busy": (
        "{registry} has trouble of its own",
        "Try again in some minutes; devstack.registry_mirror names a mirror.",
    ),
    "broken": (
        "the transfer broke off",
        "Try again: what has come is kept. If it goes on, look at the network, VPN or proxy.",
    ),
}
