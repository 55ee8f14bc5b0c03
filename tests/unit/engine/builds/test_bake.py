"""What buildx reads from its input where a secret must not be in its words."""

from __future__ import annotations

import json
from dataclasses import replace

from invoke_devstack.engine.builds.bake import bake_arguments, bake_file, image_id
from invoke_devstack.engine.builds.buildx import without_git_login
from invoke_devstack.planning.plan import BuildRequest

from .test_builds import FULL


def target_of(request: BuildRequest) -> dict[str, object]:
    target: dict[str, object] = json.loads(bake_file(request, ["id=a,env=B"], {"B": "from outside"}))[
        "target"
    ]["default"]
    return target


def test_the_file_says_all_that_the_request_says() -> None:
    assert target_of(FULL) == {
        "context": "/src",
        "dockerfile": "/src/sub/Dockerfile",
        "target": "last",
        "args": {"A": "1", "B": "from outside"},
        "labels": {"l": "v"},
        "contexts": {"more": "/more"},
        "cache-from": ["app:cache"],
        "cache-to": ["type=local,dest=/c"],
        "secret": ["id=a,env=B"],
        "ssh": ["default"],
        "network": "host",
        "platforms": ["linux/amd64"],
        "extra-hosts": {"db": "10.0.0.1"},
        "tags": ["app:1", "app:2"],
        "shm-size": "1000",
        "ulimits": ["nofile=10:20"],
        "entitlements": ["security.insecure"],
        "no-cache": True,
        "pull": True,
    }


def test_the_words_hold_nothing_of_it() -> None:
    secret = replace(FULL, labels={"l": "hunter-2"}, context="https://u:hunter-2@h/x.tar")
    assert "hunter-2" not in " ".join(bake_arguments(secret, progress="plain", metadata_file="/m"))


def test_what_bake_would_take_for_its_variables_stays_as_it_is() -> None:
    request = BuildRequest(context="/c", tag="t", dockerfile_inline="RUN echo ${HOME} %{x} $HOME")
    assert target_of(request)["dockerfile-inline"] == "RUN echo $${HOME} %%{x} $HOME"


def test_an_argument_without_a_value_anywhere_is_left_out() -> None:
    assert target_of(BuildRequest(context="/c", tag="t", args={"NOWHERE": None}))["args"] == {}


def test_the_id_is_that_of_the_image() -> None:
    both = {"default": {"containerimage.digest": "sha256:a", "containerimage.config.digest": "sha256:b"}}
    assert image_id(json.dumps(both)) == "sha256:b"
    assert image_id('{"default": {"containerimage.digest": "sha256:a"}}') == "sha256:a"


def test_the_login_of_a_git_repository_is_given_to_buildkit_as_a_secret() -> None:
    request = BuildRequest(context="https://u:p%40ss@example.org/x.git#main:sub", tag="t")
    changed, environment = without_git_login(request)
    assert changed.context == "https://example.org/x.git#main:sub"
    assert changed.secrets == (("GIT_AUTH_HEADER", "env:DEVSTACK_GIT_LOGIN"),)
    assert environment == {"DEVSTACK_GIT_LOGIN": "basic dTpwQHNz"}


def test_other_contexts_are_left_alone() -> None:
    for context in ("/src", "https://example.org/x.git", "https://u:p@example.org/x.tar.gz", "git@h:x.git"):
        request = BuildRequest(context=context, tag="t")
        assert without_git_login(request) == (request, {})
