"""Whether a registry can be reached, within seconds: an engine takes a minute to give up."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from invoke_devstack.engine.images.references import DOCKER_HUB, Reference

PROBE_SECONDS = 3.0
DOCKER_HUB_HOST = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Reached:
    """The result of probing a registry. `reason` says why it cannot be reached, or is ""; `is_untrusted`:
    because its certificate is not trusted here."""

    host: str
    seconds: float
    reason: str = ""
    is_untrusted: bool = False

    @property
    def ok(self) -> bool:
        return not self.reason


def registry_hosts(reference: str, mirror: str) -> tuple[str, ...]:
    """The hosts that an image is pulled from, in order. A mirror (`devstack.registry_mirror`) serves only
    Docker Hub's images."""
    registry = Reference.parse(reference).registry
    if registry != DOCKER_HUB:
        return (registry,)
    return (mirror, DOCKER_HUB_HOST) if mirror else (DOCKER_HUB_HOST,)


def probe_registries(hosts: Iterable[str], *, timeout: float = PROBE_SECONDS) -> Mapping[str, Reached]:
    """Requests `/v2/` from each registry in parallel, for at most `timeout` seconds. Any HTTP answer below
    500 counts (https://distribution.github.io/distribution/spec/api/); it is usually 401. Uses the proxies of
    the environment."""
    began = time.monotonic()
    found: dict[str, Reached] = {}

    def ask(host: str) -> None:
        problem = _ask(host, timeout)
        untrusted = isinstance(problem, ssl.SSLCertVerificationError)
        found[host] = Reached(host, time.monotonic() - began, _plain(problem), untrusted)

    # Daemon threads: the resolver has no time limit, and must not delay the exit.
    threads = [threading.Thread(target=ask, args=(host,), daemon=True) for host in dict.fromkeys(hosts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, timeout - (time.monotonic() - began)))
    late = {host: Reached(host, timeout, f"it did not answer within {timeout:.0f} s") for host in hosts}
    return late | dict(found)


def _ask(host: str, timeout: float) -> BaseException | str:
    """Why the registry cannot be reached; "" if it answers."""
    problem = _request(_address(host), timeout)
    if problem and _is_local(host):
        return _request(_address(host).replace("https://", "http://"), timeout)
    return problem


def _request(address: str, timeout: float) -> BaseException | str:
    try:
        urlopen(Request(address, headers={"User-Agent": "invoke-devstack"}), timeout=timeout).close()
    except HTTPError as answer:
        return "" if answer.code < 500 else f"it answered {answer.code} {answer.reason}"
    except URLError as problem:
        return problem.reason
    except (OSError, HTTPException, ValueError) as problem:
        return problem
    return ""


def _plain(problem: BaseException | str) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted here ({problem.verify_message})"
    if isinstance(problem, TimeoutError):
        return "it did not answer in time"
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror[:1].lower() + problem.strerror[1:]
    return str(problem)


def _address(host: str) -> str:
    if "://" in host:
        return f"{host.rstrip('/')}/v2/"
    return f"https://{host.rstrip('/')}/v2/"


def _is_local(host: str) -> bool:
    """Registries on this machine: the engine uses plain HTTP for them."""
    return host.partition(":")[0] in ("localhost", "127.0.0.1")
