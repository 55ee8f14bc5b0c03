"""The certificates that this machine trusts beyond its distribution's. If the network re-signs TLS, its
authority is among them, and containers must trust it too."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

SYSTEM_BUNDLES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))
DISTRIBUTION_FOLDER = Path("/usr/share/ca-certificates")
BUNDLE_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
)

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


def split_certificates(text: str) -> list[str]:
    """The certificates of a PEM file, normalised so that they can be compared."""
    return [found.replace("\r", "") for found in _CERTIFICATE.findall(text)]


def read_host_certificates(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Certificates (PEM) in this machine's bundles that its distribution does not ship."""
    named = [Path(environment[name]) for name in BUNDLE_VARIABLES if environment.get(name)]
    trusted = _read_all([*SYSTEM_BUNDLES, *named])
    shipped = set(_read_all(DISTRIBUTION_FOLDER.rglob("*.crt")))
    return tuple(dict.fromkeys(item for item in trusted if item not in shipped))


def _read_all(files: Iterable[Path]) -> list[str]:
    found: list[str] = []
    for file in files:
        if file.is_file():
            found += split_certificates(file.read_text("utf-8", "replace"))
    return found
