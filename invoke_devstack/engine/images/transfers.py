"""Pulls and pushes: progress in layers and bytes, a retry after a temporary failure, and a clear reason when
it fails for good."""

from __future__ import annotations

import base64
import json
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.engine.images.references import DOCKER_HUB, Reference
from invoke_devstack.engine.protocol import OnProgress, Progress
from invoke_devstack.engine.transport import cancelling, shapes
from invoke_devstack.engine.transport.failures import DISK_HINT
from invoke_devstack.errors import EngineError, EngineUnavailableError, ImageReason, ImageUnavailableError

if TYPE_CHECKING:
    from invoke_devstack.engine.transport.api import Api

TRIES = 3
_LONG = 20.0  # seconds; an engine that worked for so long has tried the same layer several times itself
_HELPER = 30.0  # seconds for a credential helper, which may ask a person
FIRST_PAUSE = 0.5  # seconds; doubled for each further try
TEMPORARY: tuple[ImageReason, ...] = ("broken", "busy")


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
    """Runs a pull or push to its end. What the engine soon gave up for a temporary reason is tried again.
    Raises ImageUnavailableError."""
    pause = FIRST_PAUSE
    for attempt in range(1, TRIES + 1):
        began = time.monotonic()
        try:
            _follow(api, reference, path, params, on_progress)
            return
        except EngineUnavailableError:
            raise
        except EngineError as error:
            if error.reason == "invalid-answer":
                raise
            failure = transfer_failure(reference, error.message, verb=verb)
            is_last = attempt == TRIES or time.monotonic() - began > _LONG
            if is_last or failure.reason not in TEMPORARY:
                raise failure from error
        on_progress(Progress(item="", text=f"retrying in {pause:g} s: {failure.message}"))
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
    report(api.lines(answer, shapes.PROGRESS), on_progress)


def report(lines: Iterator[Any], on_progress: OnProgress) -> None:
    """Turns the engine's progress messages into ours. Raises EngineError with the engine's own message."""
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
    """The registry's authentication header, from Docker's configuration and credential helpers. Empty if a
    helper fails: public images need none, and otherwise the registry's refusal says what is wrong."""
    from docker import auth

    warnings.filterwarnings("ignore", module="docker.credentials")
    known = _found(lambda: auth.resolve_authconfig(auth.load_config(), reference.registry))
    return str(auth.encode_header(known or {}).decode())


def _found(look: Callable[[], Any]) -> Any:
    """What the configuration and its helpers say; None where they fail or hang."""
    try:
        return cancelling.within(_HELPER, look)
    except Exception:  # the SDK does not look at the types of what it reads: anything may come
        return None


def all_credentials() -> str:
    """The header for a build, which may pull from any registry: every login of Docker's configuration."""
    from docker import auth

    return str(auth.encode_header(_all_logins()).decode())


def logins() -> str:
    """Every login of Docker's configuration and its credential helpers, as a `config.json`."""
    auths = {registry: _stored(login or {}) for registry, login in sorted(_all_logins().items())}
    return json.dumps({"auths": auths}, indent="\t")


def _stored(login: Mapping[str, str]) -> dict[str, str]:
    """A login as `docker login` writes it into a file."""
    if token := login.get("IdentityToken") or login.get("identitytoken"):
        return {"identitytoken": token}
    user, password = (login.get(key) or login.get(key.lower()) or "" for key in ("Username", "Password"))
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def _all_logins() -> dict[str, Any]:
    from docker import auth

    config: Callable[[], Any] = auth.load_config
    return _found(lambda: dict(config().get_all_credentials())) or {}


def transfer_failure(reference: Reference, words: str, *, verb: str) -> ImageUnavailableError:
    """Why an image could not be pulled or pushed. `words` are the engine's or the registry's; `verb` is
    `pulled` or `pushed`."""
    reason: ImageReason = next((reason for reason, pattern in _REASONS if pattern.search(words)), "")
    registry = "Docker Hub" if reference.registry == DOCKER_HUB else reference.registry
    what, hint = _MESSAGES.get(reason, (words, "Check the connection to the registry: `invoke doctor`"))
    if verb == "pushed":
        hint = hint.replace(", or set devstack.registry_mirror", "")
    return ImageUnavailableError(
        f"{reference} cannot be {verb}: {what.replace('REGISTRY', registry)}",
        hint=hint.replace("REGISTRY", registry).replace("HOST", reference.registry),
        details=(words,) if reason else (),
        reason=reason,
    )


_PATTERNS: tuple[tuple[ImageReason, str], ...] = (
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
    ("broken", r"unexpected EOF|\bEOF\b|connection reset|broken pipe|filesystem layer verification failed"),
)
_REASONS = tuple((reason, re.compile(pattern, re.IGNORECASE)) for reason, pattern in _PATTERNS)

_MESSAGES: Mapping[ImageReason, tuple[str, str]] = {
    "rate-limit": (
        "REGISTRY takes no more requests from this address for now (rate limit)",
        "Log in for a higher limit (docker login), wait a few hours, or set devstack.registry_mirror.",
    ),
    "disk": ("the engine's disk is full", DISK_HINT),
    "tls": (
        "the certificate of REGISTRY is not trusted",
        "If your network re-signs TLS, install its certificate on the engine's host (`invoke doctor` names "
        "it). If the registry is your own, put its certificate into /etc/docker/certs.d/HOST/ca.crt.",
    ),
    "platform": (
        "REGISTRY has no image for this platform",
        "Set a platform that the image has, such as `platform: linux/amd64`.",
    ),
    "missing": (
        "REGISTRY has no such image or tag, or it is private",
        "Check the spelling. For a private image, log in: docker login HOST",
    ),
    "denied": (
        "REGISTRY refused the login or denied access",
        "Log in with an account that has access: docker login HOST",
    ),
    "registry": (
        "REGISTRY cannot be reached",
        "Check the network, VPN and proxy: `invoke doctor`. Without a registry, `invoke setup` builds "
        "stand-ins for common images; devstack.registry_mirror sets a mirror.",
    ),
    "busy": (
        "REGISTRY has a server error",
        "Try again in a few minutes, or set devstack.registry_mirror.",
    ),
    "broken": (
        "the transfer was cut off",
        "Try again: finished layers are kept. If it keeps happening, check the network, VPN and proxy.",
    ),
}
