"""The network: registries, logins, pulls left, proxies, certificates."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import Request, getproxies, urlopen

from invoke_devstack.engine.endpoints import read_config
from invoke_devstack.setup.doctor.check import Check, State, Subject
from invoke_devstack.setup.needed_images import needed_images
from invoke_devstack.setup.registry import (
    DOCKER_HUB_HOST,
    PROBE_SECONDS,
    Reached,
    probe_registries,
    registry_hosts,
)
from invoke_devstack.setup.standins import find_recipe
from invoke_devstack.setup.standins.certificates import read_host_certificates

DOCKER_HUB_LOGIN = "https://index.docker.io/v1/"  # its name in Docker's configuration
LIMIT_TOKEN = (
    "https://auth.docker.io/token?service=registry.docker.io&scope=repository:ratelimitpreview/test:pull"
)
LIMIT_MANIFEST = f"https://{DOCKER_HUB_HOST}/v2/ratelimitpreview/test/manifests/latest"
_TOKEN = 1 << 16  # bytes of the answer of a registry's token server
FEW_PULLS = 10


def check_registries(subject: Subject) -> Iterator[Check]:
    """Each registry that the stack's images come from, and the pulls that Docker Hub still allows."""
    images = needed_images(subject.definition) if subject.definition else ()
    wanting: dict[str, list[str]] = {}
    for image in images:
        for host in registry_hosts(image.reference, subject.settings.registry_mirror):
            wanting.setdefault(host, []).append(image.reference)
    reached = probe_registries(wanting or (DOCKER_HUB_HOST,))
    logins = read_logins()
    for host, answer in reached.items():
        missing = [reference for reference in wanting.get(host, ()) if _is_missing(subject, reference)]
        yield check_registry(answer, missing, host in logins)
    if DOCKER_HUB_HOST in reached and reached[DOCKER_HUB_HOST].ok:
        yield from check_rate_limit()


def check_registry(answer: Reached, missing: list[str], logged_in: bool) -> Check:
    """The check of one registry; `missing` are the images that have to be pulled from it."""
    name = f"registry {answer.host}"
    if answer.ok:
        login = "logged in" if logged_in else "not logged in"
        return Check(name, "ok", f"answered in {answer.seconds * 1000:.0f} ms, {login}")
    hopeless = [reference for reference in missing if find_recipe(reference) is None]
    state: State = "failed" if hopeless else "warning"
    if answer.is_untrusted:
        fix = "sudo cp YOUR-CA.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates"
    elif missing and not hopeless:
        fix = "invoke setup"
    else:
        fix = f"curl -v https://{answer.host}/v2/"
    if hopeless:
        matters = f"Missing, and no stand-in can be built: {', '.join(hopeless)}."
    elif missing:
        matters = f"Missing, but stand-ins can be built: {', '.join(missing)}."
    else:
        matters = "No image is missing, but none can be updated."
    return Check(name, state, answer.reason, matters, fix)


def _is_missing(subject: Subject, reference: str) -> bool:
    return subject.engine is None or subject.engine.find_image(reference) is None


def read_logins(environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The registry hosts with a login in Docker's configuration. With a credential store, their entries are
    empty (https://docs.docker.com/reference/cli/docker/login/)."""
    config = read_config(environment)
    names = {*config.get("auths", {}), *config.get("credHelpers", {})}
    return frozenset(DOCKER_HUB_HOST if name == DOCKER_HUB_LOGIN else _host(name) for name in names)


def _host(name: str) -> str:
    return name.partition("://")[2].partition("/")[0] or name.partition("/")[0]


def check_rate_limit(token_url: str = LIMIT_TOKEN, manifest_url: str = LIMIT_MANIFEST) -> Iterator[Check]:
    """How many pulls Docker Hub still allows this address, from its headers
    (https://docs.docker.com/docker-hub/usage/pulls/). Asking does not count as a pull."""
    headers = _ask_for_limit(token_url, manifest_url)
    left = (headers.get("ratelimit-remaining") or "").partition(";")[0]
    if not left.isdigit():
        return
    limit = (headers.get("ratelimit-limit") or "").partition(";")[0]
    found = f"{left} of {limit} pulls left for this address"
    if int(left) >= FEW_PULLS:
        yield Check("rate limit", "ok", found)
    else:
        matters = "When none is left, Docker Hub refuses pulls for some hours."
        yield Check("rate limit", "warning" if int(left) else "failed", found, matters, "docker login")


def _ask_for_limit(token_url: str, manifest_url: str) -> Mapping[str, str]:
    """The headers of the answer, in lower case; empty if there is no answer."""
    try:
        with urlopen(token_url, timeout=PROBE_SECONDS) as answer:
            token = json.loads(answer.read(_TOKEN))["token"]
        request = Request(manifest_url, method="HEAD", headers={"Authorization": f"Bearer {token}"})
        with urlopen(request, timeout=PROBE_SECONDS) as answer:
            return {name.lower(): value for name, value in answer.headers.items()}
    except URLError as refused:
        headers = getattr(refused, "headers", None) or {}
        return {name.lower(): value for name, value in headers.items()}
    except (OSError, HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return {}


def check_proxy(subject: Subject) -> Iterator[Check]:
    """The proxy of this terminal, and whether the engine uses one too."""
    proxies = {name: value for name, value in getproxies().items() if name in ("http", "https")}
    of_engine = str(subject.info.get("HttpsProxy") or subject.info.get("HttpProxy") or "")
    if proxies and subject.engine is not None and subject.is_local and not of_engine:
        yield Check(
            "proxy",
            "warning",
            f"{_shown(proxies)} in this terminal, none in the engine",
            "The engine pulls images without a proxy.",
            "sudo mkdir -p /etc/systemd/system/docker.service.d && printf "
            "'[Service]\\nEnvironment=HTTPS_PROXY=%s\\n' \"$HTTPS_PROXY\" | sudo tee "
            "/etc/systemd/system/docker.service.d/proxy.conf && sudo systemctl daemon-reload && "
            "sudo systemctl restart docker",
        )
    else:
        here = _shown(proxies) if proxies else "none"
        yield Check("proxy", "ok", f"{here} in this terminal, {'one' if of_engine else 'none'} in the engine")


def _shown(proxies: Mapping[str, str]) -> str:
    """The proxies' addresses, without passwords."""
    return ", ".join(sorted({value.rpartition("@")[2] for value in proxies.values()}))


def check_authorities(_subject: Subject) -> Iterator[Check]:
    """Certificates that this machine trusts beyond its distribution's: its network may re-sign TLS."""
    count = len(read_host_certificates())
    more = f", and {count} of your own that stand-ins trust too" if count else ""
    yield Check("certificates", "ok", f"the system's{more}")
