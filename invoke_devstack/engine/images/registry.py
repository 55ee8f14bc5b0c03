"""Blobs and manifests of a registry, without an engine: engines keep images, but no other artifacts
(https://github.com/opencontainers/distribution-spec/blob/main/spec.md).

With the standard library, as the transport to the engine: the SDKs for registries need `requests`, whose
import takes longer than the whole transfer.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin

from invoke_devstack.engine.images.references import DOCKER_HUB, Reference
from invoke_devstack.engine.images.transfers import credentials, transfer_failure
from invoke_devstack.planning.publishing.artifact import MANIFEST, digest_of

if TYPE_CHECKING:
    from email.message import Message
    from http.client import HTTPResponse

    from invoke_devstack.planning.publishing.artifact import Layer

_SECONDS = 60.0  # for one answer
_MOST = 1 << 24  # bytes of a manifest or blob that are read
_BLOB = "application/octet-stream"
_HUB = "registry-1.docker.io"


class Registry:
    """The repository of one reference. Every method raises ImageUnavailableError."""

    def __init__(self, reference: str) -> None:
        self._reference = Reference.parse(reference)
        self._header = ""
        host = self._reference.registry
        self._is_local = _is_loopback(host)
        self._base = f"https://{_HUB if host == DOCKER_HUB else host}/v2/{self._reference.path}"
        proxies = urllib.request.ProxyHandler({} if self._is_local else None)
        self._open = urllib.request.build_opener(proxies).open

    def put(self, layer: Layer) -> None:
        """Uploads a blob, unless it is there."""
        if self._ask("HEAD", f"/blobs/{layer.digest}", missing=True) is not None:
            return
        started = self._ask("POST", "/blobs/uploads/", b"")
        place = started[1].get("Location", "") if started else ""
        joint = "&" if "?" in place else "?"
        where = f"{urljoin(f'{self._base}/', place)}{joint}{urlencode({'digest': layer.digest})}"
        self._ask("PUT", where, layer.content or b"", kind=_BLOB)

    def put_manifest(self, content: bytes) -> str:
        """Names the manifest as the reference says. Returns its digest."""
        self._ask("PUT", f"/manifests/{self._reference.tag}", content, kind=MANIFEST)
        return digest_of(content)

    def manifest(self) -> bytes:
        """The manifest of the reference."""
        which = self._reference.digest or self._reference.tag
        return self._content(f"/manifests/{which}", self._reference.digest)

    def blob(self, layer: Layer) -> bytes:
        """The content of a layer, which has its digest."""
        return self._content(f"/blobs/{layer.digest}", layer.digest)

    def _content(self, path: str, digest: str) -> bytes:
        found = self._ask("GET", path)
        content = found[0] if found else b""
        if digest and digest_of(content) != digest:
            raise transfer_failure(self._reference, "unexpected EOF: the digest differs", verb="pulled")
        return content

    def _ask(
        self, method: str, path: str, data: bytes | None = None, *, kind: str = "", missing: bool = False
    ) -> tuple[bytes, Message] | None:
        """(content, headers) of an answer; None for what is `missing`."""
        verb = "pulled" if method == "GET" else "pushed"
        try:
            return self._send(method, path, data, kind)
        except urllib.error.HTTPError as error:
            with error:
                words = error.read(1 << 12).decode("utf-8", "replace")
            if missing and error.code == 404:
                return None
            text = "manifest unknown" if error.code == 404 else f"{error.code} {error.reason}: {words}"
            raise transfer_failure(self._reference, text, verb=verb) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            is_plain = isinstance(reason, ssl.SSLError) and not isinstance(
                reason, ssl.SSLCertVerificationError
            )
            if self._is_local and self._base.startswith("https:") and is_plain:
                self._base = f"http:{self._base.removeprefix('https:')}"  # as for Docker, it needs no TLS
                return self._ask(method, path, data, kind=kind, missing=missing)
            kind_of = "x509" if isinstance(reason, ssl.SSLError) else "no such host"
            raise transfer_failure(self._reference, f"{kind_of}: {reason}", verb=verb) from error

    def _send(
        self, method: str, path: str, data: bytes | None, kind: str, *, again: bool = True
    ) -> tuple[bytes, Message]:
        url = f"{self._base}{path}" if path.startswith("/") else path
        headers = {"Accept": MANIFEST, "User-Agent": "invoke-devstack"}
        headers |= {"Content-Type": kind} if kind else {}
        headers |= {"Authorization": self._header} if self._header else {}
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with self._open(request, timeout=_SECONDS) as answer:
                return _read(answer)
        except urllib.error.HTTPError as error:
            challenge = error.headers.get("WWW-Authenticate", "")
            if error.code != 401 or not again or not challenge:
                raise
            error.close()
            self._header = self._authorization(challenge)
            return self._send(method, path, data, kind, again=False)

    def _authorization(self, challenge: str) -> str:
        """The header that answers a registry's challenge, with Docker's logins."""
        login = json.loads(base64.urlsafe_b64decode(credentials(self._reference) or "e30=") or b"{}")
        user, password = (login.get(key) or login.get(key.lower()) or "" for key in ("Username", "Password"))
        basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        parts = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if not challenge.lower().startswith("bearer"):
            return basic
        scope = f"repository:{self._reference.path}:pull,push"
        query = urlencode({"service": parts.get("service", ""), "scope": parts.get("scope", scope)})
        request = urllib.request.Request(f"{parts.get('realm', '')}?{query}")
        if user:
            request.add_header("Authorization", basic)
        with self._open(request, timeout=_SECONDS) as answer:
            body = json.loads(_read(answer)[0])
        return f"Bearer {body.get('token') or body.get('access_token')}"


def _read(answer: HTTPResponse) -> tuple[bytes, Message]:
    content = answer.read(_MOST + 1)
    if len(content) > _MOST:
        raise ValueError(f"an answer is larger than {_MOST >> 20} MB")
    return content, answer.headers


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] or host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
