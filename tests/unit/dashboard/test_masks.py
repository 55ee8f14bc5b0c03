"""What the engine and the files say is masked before a page sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from invoke_devstack.acting.host import Host
from invoke_devstack.dashboard.answers import failed
from invoke_devstack.dashboard.hub import Hub
from invoke_devstack.dashboard.watching.entries import hidden
from invoke_devstack.dashboard.watching.stack import Stack
from invoke_devstack.errors import DefinitionError, EngineError
from invoke_devstack.secrets import MASK, SecretValues

SECRET = "s3cr3t-of-web-42"


def known() -> SecretValues:
    values = SecretValues()
    values.spare(["db"])
    values.learn({"API_TOKEN": SECRET, "DB_PASSWORD": "db"})
    return values


class _BadFiles:
    project = "shop"
    directory = Path("/shop")
    task_prefix = ""
    secrets = known()

    def session(self, emit: Any = None) -> Any:
        raise DefinitionError(f"`ports` is wrong: {SECRET}", hint=f"Remove {SECRET}.")


def test_the_probe_of_a_service_shows_no_secret_and_its_key_stays_a_name() -> None:
    probe = {"kind": "healthcheck", "text": f"curl -u x:{SECRET} web", "last": f"refused {SECRET}"}
    entry = hidden({"key": "db", "service": "db", "why": "", "probe": probe}, known())
    assert (entry["key"], entry["service"]) == ("db", "db")
    assert entry["probe"]["text"] == f"curl -u x:{MASK} web"
    assert entry["probe"]["last"] == f"refused {MASK}"


def test_an_error_that_quotes_a_secret_is_masked_on_every_page() -> None:
    stack = Stack(cast("Host", _BadFiles()), Hub(), {})
    stack.start()
    stack.wait_until_seen(30)
    state = stack.project()
    stack.stop()
    assert state["definition"]["state"] == "invalid"
    assert state["definition"]["error"] == f"`ports` is wrong: {MASK}"
    assert SECRET not in json.dumps(state)


def test_an_answer_with_an_error_of_the_engine_is_masked() -> None:
    error = EngineError(f"no such option: {SECRET}", hint=f"Not {SECRET}.", details=(f"at {SECRET}",))
    body = bytes(failed(error, known()).body)
    assert SECRET not in body.decode()
    assert json.loads(body)["error"] == f"no such option: {MASK}"
