"""Answers of the API: JSON, and errors as the event `error` of `--json` has them."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from invoke_devstack.errors import DevstackError, EngineUnavailableError, UsageError
from invoke_devstack.events import Failed
from invoke_devstack.secrets import SecretValues

_NO_STORE = {"cache-control": "no-store"}


def to_text(data: Any) -> str:
    """Compact JSON. Names of files that are no UTF-8 are escaped, so that they can be sent."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def answer(data: Any, status: int = 200) -> Response:
    return answer_text(to_text(data), status)


def answer_text(text: str, status: int = 200) -> Response:
    """For a text that is JSON already."""
    return Response(text, status, _NO_STORE, "application/json")


def error_body(text: str, reason: str = "", hint: str = "", **more: Any) -> dict[str, Any]:
    """The members of the event `error`, and `more`."""
    return {**Failed(error=text, reason=reason, hint=hint).to_json(), **more}


def refuse(status: int, text: str, reason: str = "", hint: str = "", **more: Any) -> Response:
    return answer(error_body(text, reason, hint, **more), status)


def failed(error: DevstackError, secrets: SecretValues) -> Response:
    """The answer for an error that a task would end with, with masks."""
    position = str(error.position) if error.position else ""
    more = {"position": position, "details": list(error.details), "exit_code": error.exit_code}
    body = error_body(error.message, error.reason, error.hint, **more)
    return answer(secrets.hide_in(body), status_of(error))


def status_of(error: DevstackError) -> int:
    if isinstance(error, EngineUnavailableError):
        return 503
    wrong_use = isinstance(error, UsageError) or error.reason == "definition"
    return 400 if wrong_use else 500
