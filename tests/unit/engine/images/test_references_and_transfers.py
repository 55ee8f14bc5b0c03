"""Names of images, and why one cannot be had."""

from __future__ import annotations

import time

import pytest

from invoke_devstack.engine.images import transfers
from invoke_devstack.engine.images.references import Reference
from invoke_devstack.engine.images.transfers import report, transfer, transfer_failure
from invoke_devstack.engine.protocol import Progress
from invoke_devstack.engine.transport.api import Api
from invoke_devstack.errors import EngineError, ImageUnavailableError


@pytest.mark.parametrize(
    ("text", "name", "tag", "registry", "path"),
    [
        ("redis", "redis", "latest", "docker.io", "library/redis"),
        ("redis:8", "redis", "8", "docker.io", "library/redis"),
        ("ann/app:1", "ann/app", "1", "docker.io", "ann/app"),
        ("docker.io/redis:8", "docker.io/redis", "8", "docker.io", "library/redis"),
        ("ghcr.io/a/b:2", "ghcr.io/a/b", "2", "ghcr.io", "a/b"),
        ("localhost:5000/x", "localhost:5000/x", "latest", "localhost:5000", "x"),
        ("localhost/x:1", "localhost/x", "1", "localhost", "x"),
    ],
)
def test_a_reference_is_read_as_docker_reads_it(
    text: str, name: str, tag: str, registry: str, path: str
) -> None:
    reference = Reference.parse(text)
    assert (reference.name, reference.tag, reference.registry, reference.path) == (name, tag, registry, path)


def test_a_digest_is_kept() -> None:
    reference = Reference.parse("redis:8@sha256:abc")
    assert (reference.name, reference.tag, reference.digest) == ("redis", "8", "sha256:abc")
    assert str(reference) == "redis@sha256:abc"


def test_a_mirror_stands_for_docker_hub_alone() -> None:
    assert str(Reference.parse("redis:8").through("https://mirror.lan/")) == "mirror.lan/library/redis:8"
    assert str(Reference.parse("ann/app").through("mirror:5000")) == "mirror:5000/ann/app:latest"
    assert Reference.parse("ghcr.io/a/b").through("mirror.lan") is None
    assert Reference.parse("redis@sha256:abc").through("mirror.lan") is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("toomanyrequests: You have reached your unauthenticated pull rate limit.", "rate-limit"),
        ("error pulling image: received unexpected HTTP status: 429 Too Many Requests", "rate-limit"),
        ("manifest for redis:99 not found: manifest unknown: manifest unknown", "missing"),
        (
            "pull access denied for nosuch, repository does not exist or may require 'docker login': denied: "
            "requested access to the resource is denied",
            "missing",
        ),
        ('failed to resolve reference "docker.io/library/x:1": docker.io/library/x:1: not found', "missing"),
        ("unauthorized: incorrect username or password", "denied"),
        ("Head https://r/v2/x/manifests/1: no basic auth credentials", "denied"),
        ("denied: requested access to the resource is denied", "denied"),
        (
            'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: '
            "no such host",
            "registry",
        ),
        ('Get "https://r/v2/": dial tcp 10.0.0.9:443: connect: connection refused', "registry"),
        (
            'Get "https://r/v2/": net/http: request canceled while waiting for connection (Client.Timeout '
            "exceeded while awaiting headers)",
            "registry",
        ),
        ('Get "https://r/v2/": net/http: TLS handshake timeout', "registry"),
        ('Get "https://r/v2/": x509: certificate signed by unknown authority', "tls"),
        ('Get "https://r:5000/v2/": http: server gave HTTP response to HTTPS client', "tls"),
        ("failed to register layer: write /usr/lib/x: no space left on device", "disk"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "platform"),
        ("unexpected EOF", "broken"),
        ("read tcp 10.0.0.2:1->10.0.0.3:443: read: connection reset by peer", "broken"),
        ("received unexpected HTTP status: 503 Service Unavailable", "busy"),
        ("something entirely new", ""),
    ],
)
def test_every_reason_that_an_image_cannot_be_had_is_told_apart(message: str, reason: str) -> None:
    error = transfer_failure(Reference.parse("redis:8"), message, verb="pulled")
    assert error.reason == reason
    assert error.message.startswith("redis:8 cannot be pulled: ")
    assert error.hint
    assert message in (error.message, *error.details) or message in error.message


def test_the_registry_is_named_as_people_call_it() -> None:
    refused = "dial tcp: connect: connection refused"
    assert "Docker Hub" in transfer_failure(Reference.parse("redis"), refused, verb="pulled").message
    assert "ghcr.io" in transfer_failure(Reference.parse("ghcr.io/a/b"), refused, verb="pushed").message


def test_progress_has_the_layers_bytes() -> None:
    told: list[Progress] = []
    lines = [
        {"status": "Pulling from library/redis", "id": "8"},
        {"status": "Downloading", "id": "ab", "progressDetail": {"current": 5, "total": 9}},
        {"status": "Pull complete", "id": "ab", "progressDetail": {}},
    ]
    report(iter(lines), told.append)
    assert told[1] == Progress("ab", "Downloading", 5, 9, "bytes")
    assert told[2] == Progress("ab", "Pull complete")


def test_an_error_in_the_middle_is_raised() -> None:
    with pytest.raises(EngineError, match="broken"):
        report(iter([{"status": "x"}, {"error": "broken"}]), lambda progress: None)


@pytest.mark.parametrize(("seconds", "attempts"), [(1, 3), (30, 1)])
def test_what_the_engine_has_long_tried_itself_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, seconds: float, attempts: int
) -> None:
    now, tried, told = 0.0, 0, list[Progress]()

    def fail(*_: object) -> None:
        nonlocal now, tried
        now, tried = now + seconds, tried + 1
        raise EngineError("unexpected EOF")

    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(transfers, "_follow", fail)
    api = Api.__new__(Api)
    with pytest.raises(ImageUnavailableError) as caught:
        transfer(
            api, Reference.parse("web:1"), "/x", {}, told.append, verb="pulled", sleep=lambda seconds: None
        )
    assert (tried, len(told), caught.value.reason) == (attempts, attempts - 1, "broken")
