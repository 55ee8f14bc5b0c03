"""A registry that refuses the base image of a build."""

from __future__ import annotations

import pytest

from invoke_devstack.engine.builds.build_log import build_failure
from invoke_devstack.engine.images.references import Reference
from invoke_devstack.engine.images.transfers import transfer_failure

_PULLING = "pulling from host example.org failed with status code [manifests 1]:"


@pytest.mark.parametrize(
    ("said", "reason", "hint"),
    [
        (f"{_PULLING} 401 Unauthorized", "refused the login", "docker login example.org"),
        (f"{_PULLING} 429 Too Many Requests", "rate limit", "wait a few hours"),
        ('Head "/v2/base/manifests/1": stopped after 10 redirects', "stopped after", "invoke doctor"),
    ],
)
def test_a_build_says_what_the_registry_refused_and_what_to_do(said: str, reason: str, hint: str) -> None:
    name = "[internal] load metadata for example.org/base:1"
    failure = build_failure("app", f"failed to solve: {said}", None, name)
    assert failure.reason == "base-image"
    assert "example.org/base:1 cannot be pulled" in failure.message
    assert reason in failure.message
    assert hint in failure.hint


def test_a_push_that_is_refused_for_now_speaks_of_no_pulls() -> None:
    failure = transfer_failure(Reference.parse("example.org/app:1"), "toomanyrequests", verb="pushed")
    assert "pulls" not in failure.message
    assert "mirror" not in failure.hint
    assert "wait a few hours" in failure.hint
