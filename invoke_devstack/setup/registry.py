"""Whether a registry can be reached: found out in seconds, where an engine takes a minute to give up."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from invoke_devstack.engine.references import DOCKER_HUB, Reference

PROBE_SECONDS = 3.0
DOCKER_HUB_HOST = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of asking a registry. `reason` says why it cannot be reached, or is ""."""

    host: str
    seconds: float
    reason: str = ""

    @property
    def ok(self) -> bool:
        return not self.reason


def registry_hosts(reference: str, mirror: str) -> tuple[str, ...]:
    """The hosts that have an image, in the order in which they are tried. A mirror
    (`devstack.registry_mirror`) has Docker Hub's images alone."""
    registry = Reference.parse(reference).registry
    if registry != DOCKER_HUB:
        return (registry,)
    return (mirror, DOCKER_HUB_HOST) if mirror else (DOCKER_HUB_HOST,)


def probe_registries(hosts: Iterable[str], *, timeout: float = PROBE_SECONDS) -> Mapping[str, Reached]:
    """Asks each registry for `/v2/` at once; comes back within `timeout` seconds.

    Any answer of HTTP will do, 401 above all (https://distribution.github.io/distribution/spec/api/).
    Proxies of the environment are used.
    """
    began = time.monotonic()
    found: dict[str, Reached] = {}

    def ask(host: str) -> None:
        reason = _ask(host, timeout)
        found[host] = Reached(host, time.monotonic() - began, reason)

    # Daemon threads: the resolver has no time limit, and one that hangs must not hold up the exit.
    threads = [threading.Thread(target=ask, args=(host,), daemon=True) for host in dict.fromkeys(hosts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, timeout - (time.monotonic() - began)))
    late = {host: Reached(host, timeout, f"no answer within {timeout:.0f} s") for host in hosts}
    return late | dict(found)


def _ask(host: str, timeout: float) -> str:
    """Why the registry cannot be reached; "" when it answers."""
    reason = _request(_address(host), timeout)
    if reason and _is_local(host):
        return _request(_address(host).replace("https://", "http://"), timeout)
    return reason


def _request(address: str, timeout: float) -> str:
    try:
        urlopen(Request(address, headers={"User-Agent": "invoke-devstack"}), timeout=timeout).close()
    except HTTPError as answer:
        return "" if answer.code < 500 else f"it answers {answer.code} {answer.reason}"
    except URLError as problem:
        return _plain(problem.reason)
    except (OSError, HTTPException, ValueError) as problem:
        return _plain(problem)
    return ""


def _plain(problem: BaseException | str) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted here ({problem.verify_message})"
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror[:1].lower() + problem.strerror[1:]
    return str(problem)


def _address(host: str) -> str:
    if "://" in host:
        return f"{host.rstrip('/')}/v2/"
    return f"https://{host.rstrip('/')}/v2/"


def _is_local(host: str) -> bool:
    """The engine speaks plain HTTP with registries on this machine."""
    return host.partition(":")[0] in ("localhost", "127.0.0.1")
