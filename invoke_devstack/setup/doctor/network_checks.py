"""The way to the registries: reached or not, logged in, how many pulls are left, proxies, authorities."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, getproxies, urlopen

from invoke_devstack.setup.doctor.check import Check, Patient, State
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
FEW_PULLS = 10


def check_registries(patient: Patient) -> Iterator[Check]:
    """Each registry that the definition's images come from, and how many pulls Docker Hub still gives."""
    images = needed_images(patient.definition) if patient.definition else ()
    wanting: dict[str, list[str]] = {}
    for image in images:
        for host in registry_hosts(image.reference, patient.settings.registry_mirror):
            wanting.setdefault(host, []).append(image.reference)
    reached = probe_registries(wanting or (DOCKER_HUB_HOST,))
    logins = read_logins()
    for host, answer in reached.items():
        missing = [reference for reference in wanting.get(host, ()) if _is_missing(patient, reference)]
        yield check_registry(answer, missing, host in logins)
    if DOCKER_HUB_HOST in reached and reached[DOCKER_HUB_HOST].ok:
        yield from check_rate_limit()


def check_registry(answer: Reached, missing: list[str], logged_in: bool) -> Check:
    """What reaching one registry came to; `missing` are images that only it has."""
    name = f"registry {answer.host}"
    if answer.ok:
        login = "logged in" if logged_in else "not logged in"
        return Check(name, "ok", f"answers after {answer.seconds * 1000:.0f} ms, {login}")
    hopeless = [reference for reference in missing if find_recipe(reference) is None]
    state: State = "failed" if hopeless else "warning"
    if "certificate" in answer.reason:
        mend = "sudo cp YOUR-AUTHORITY.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates"
    elif missing and not hopeless:
        mend = "invoke setup"
    else:
        mend = f"curl -v https://{answer.host}/v2/"
    if hopeless:
        matters = f"There is no stand-in for {', '.join(hopeless)}."
    elif missing:
        matters = f"Stand-ins can be made for {', '.join(missing)}."
    else:
        matters = "No image is missing; none can be renewed either."
    return Check(name, state, answer.reason, matters, mend)


def _is_missing(patient: Patient, reference: str) -> bool:
    return patient.engine is None or patient.engine.find_image(reference) is None


def read_logins(environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The registry hosts that Docker's configuration has a login for. A credential store leaves an
    empty entry there for each (https://docs.docker.com/reference/cli/docker/login/)."""
    folder = environment.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    try:
        config = json.loads((Path(folder) / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return frozenset()
    names = {*config.get("auths", {}), *config.get("credHelpers", {})}
    return frozenset(DOCKER_HUB_HOST if name == DOCKER_HUB_LOGIN else _host(name) for name in names)


def _host(name: str) -> str:
    return name.partition("://")[2].partition("/")[0] or name.partition("/")[0]


def check_rate_limit(token_url: str = LIMIT_TOKEN, manifest_url: str = LIMIT_MANIFEST) -> Iterator[Check]:
    """How many pulls Docker Hub still gives to this address, as it tells in headers
    (https://docs.docker.com/docker-hub/usage/pulls/). Asking costs none."""
    headers = _ask_for_limit(token_url, manifest_url)
    left = (headers.get("ratelimit-remaining") or "").partition(";")[0]
    if not left.isdigit():
        return
    limit = (headers.get("ratelimit-limit") or "").partition(";")[0]
    found = f"{left} of {limit} pulls left for this address"
    if int(left) >= FEW_PULLS:
        yield Check("rate limit", "ok", found)
    else:
        matters = "Docker Hub then refuses pulls for some hours."
        yield Check("rate limit", "warning" if int(left) else "failed", found, matters, "docker login")


def _ask_for_limit(token_url: str, manifest_url: str) -> Mapping[str, str]:
    """The headers of the answer in lower case; none where it cannot be had."""
    try:
        with urlopen(token_url, timeout=PROBE_SECONDS) as answer:
            token = json.load(answer)["token"]
        request = Request(manifest_url, method="HEAD", headers={"Authorization": f"Bearer {token}"})
        with urlopen(request, timeout=PROBE_SECONDS) as answer:
            return {name.lower(): value for name, value in answer.headers.items()}
    except URLError as refused:
        headers = getattr(refused, "headers", None) or {}
        return {name.lower(): value for name, value in headers.items()}
    except (OSError, ValueError, KeyError):
        return {}


def check_proxy(patient: Patient) -> Iterator[Check]:
    """The proxy that this terminal uses, and whether the engine uses one too."""
    proxies = {name: value for name, value in getproxies().items() if name in ("http", "https")}
    of_engine = str(patient.info.get("HttpsProxy") or patient.info.get("HttpProxy") or "")
    if proxies and patient.engine is not None and patient.is_local and not of_engine:
        yield Check(
            "proxy",
            "warning",
            f"{_shown(proxies)} here, none in the engine",
            "The engine pulls images without it.",
            "sudo mkdir -p /etc/systemd/system/docker.service.d && printf "
            "'[Service]\\nEnvironment=HTTPS_PROXY=%s\\n' \"$HTTPS_PROXY\" | sudo tee "
            "/etc/systemd/system/docker.service.d/proxy.conf && sudo systemctl daemon-reload && "
            "sudo systemctl restart docker",
        )
    else:
        here = _shown(proxies) if proxies else "none here"
        yield Check("proxy", "ok", f"{here}, {'one' if of_engine else 'none'} in the engine")


def _shown(proxies: Mapping[str, str]) -> str:
    """Proxies without the password that an address may carry."""
    return ", ".join(sorted({value.rpartition("@")[2] for value in proxies.values()}))


def check_authorities(_patient: Patient) -> Iterator[Check]:
    """Certificates of this machine that its distribution does not ship: a network may re-sign TLS."""
    count = len(read_host_certificates())
    if count:
        found = f"{count} of this machine's own beside the system's; stand-ins carry them"
    else:
        found = "the system's alone"
    yield Check("certificates", "ok", found)
