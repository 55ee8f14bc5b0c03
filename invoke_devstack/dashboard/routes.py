"""What is answered under which path. What each answer says is made in the subrooms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from invoke_devstack.acting.host import ConfirmationError
from invoke_devstack.dashboard import pages, streams
from invoke_devstack.dashboard.acting import uploads
from invoke_devstack.dashboard.acting.runs import BusyError
from invoke_devstack.dashboard.acting.wishes import read_wish
from invoke_devstack.dashboard.answers import answer, answer_text, failed, refuse, to_text
from invoke_devstack.dashboard.board import Board
from invoke_devstack.dashboard.traces.answering import Answering
from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.secrets import SecretValues

_Handler = Callable[[Request], Awaitable[Response]]
_BEGIN = 20.0  # seconds for an action to do or say something first


def application(board: Board) -> Starlette:
    """The whole dashboard, without the door (`access.py`)."""
    api = _Api(board)
    routes = [
        Route("/api/v1/project", api.reading(board.project)),
        Route("/api/v1/services", api.reading(board.services)),
        Route("/api/v1/services/{name}", api.service),
        Route("/api/v1/stats", api.reading(board.meters.rows)),
        Route("/api/v1/plan", api.asking(board.plan)),
        Route("/api/v1/activity", api.reading(board.activity.summaries)),
        Route("/api/v1/activity/{run}", api.run),
        Route("/api/v1/data", api.reading(board.data)),
        Route("/api/v1/snapshots", api.reading(board.snapshots)),
        Route("/api/v1/snapshots/import", api.import_snapshot, methods=["POST"]),
        Route("/api/v1/snapshots/{name}/export", api.export),
        Route("/api/v1/stacks", api.reading(board.stacks)),
        Route("/api/v1/disk", api.reading(board.disk)),
        Route("/api/v1/doctor", api.reading(board.doctor)),
        Route("/api/v1/actions", api.reading(board.actions), methods=["GET"]),
        Route("/api/v1/actions", api.act, methods=["POST"]),
        Route("/api/v1/actions/{run}/cancel", api.cancel, methods=["POST"]),
        Route("/api/v1/events", api.events),
        Route("/api/v1/logs", api.asking(board.logs.window)),
        Route("/api/v1/logs/line", api.line),
        Route("/api/v1/logs/fields", api.asking(board.logs.fields)),
        Route("/api/v1/logs/search", api.search),
        Route("/api/v1/logs/download", api.download),
        *_traces_routes(api, board.traces),
        Route("/api/{path:path}", _unknown, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
        Route("/static/{path:path}", pages.static),
        Route("/favicon.svg", pages.icon),
        Route("/{path:path}", pages.page),
    ]
    handlers: Any = {BusyError: _busy, DevstackError: api.fail, HTTPException: _http_error}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> Any:
        yield
        board.hub.close()

    return Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)


def _traces_routes(api: _Api, traces: Answering) -> list[Route]:
    """Those of names come before those of ids."""
    path = "/api/v1/traces"
    return [
        Route(path, api.asking(traces.find)),
        Route(f"{path}/status", api.reading(traces.status)),
        Route(f"{path}/import", api.import_trace, methods=["POST"]),
        Route(f"{path}/map", api.asking(traces.map)),
        Route(f"{path}/logs", api.asking(traces.logs)),
        Route(f"{path}/metrics", api.reading(traces.metrics)),
        Route(f"{path}/metrics/{{name:path}}", api.series),
        Route(f"{path}/{{trace}}", api.trace),
        Route(f"{path}/{{trace}}/logs", api.logs_of_trace),
        Route(f"{path}/{{trace}}/export", api.export_trace),
    ]


async def _unknown(request: Request) -> Response:
    return refuse(404, "there is no such path", "not-found")


async def _busy(request: Request, error: Exception) -> Response:
    assert isinstance(error, BusyError)
    return refuse(409, error.message, error.reason, error.hint, holder=error.holder)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refuse(error.status_code, error.detail.lower(), "request")


class _Api:
    def __init__(self, board: Board) -> None:
        self._board = board

    async def fail(self, request: Request, error: Exception) -> Response:
        """An error may quote a file or the engine."""
        assert isinstance(error, DevstackError)
        return await asyncio.to_thread(failed, error, self._board.host.secrets)

    def reading(self, read: Callable[[], Any]) -> _Handler:
        """Answers with what `read` returns. It may wait for an engine, so it runs in a thread."""

        async def handle(request: Request) -> Response:
            return answer(await asyncio.to_thread(read))

        return handle

    def asking(self, read: Callable[[Mapping[str, str], Sequence[str]], Any]) -> _Handler:
        """The same with the parameters of the request."""

        async def handle(request: Request) -> Response:
            query = request.query_params
            return answer(await asyncio.to_thread(read, query, query.getlist("field")))

        return handle

    async def service(self, request: Request) -> Response:
        name = request.path_params["name"]
        found = await asyncio.to_thread(self._board.service, name, request.query_params)
        return answer(found) if found else refuse(404, f"unknown service `{name}`", "usage")

    async def run(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._board.activity.whole, request.path_params["run"])
        return answer(found) if found else refuse(404, "there is no such run", "not-found")

    async def export(self, request: Request) -> Response:
        name, service = request.path_params["name"], request.query_params.get("service", "")
        pieces = await asyncio.to_thread(self._board.exported, name, service)
        return streams.long_answer(pieces, "application/x-tar", file=f"{name}.tar")

    async def import_snapshot(self, request: Request) -> Response:
        """Keeps the file that is sent, and answers when its import has begun."""
        query = request.query_params
        with uploads.Upload() as upload:
            async for piece in request.stream():
                await asyncio.to_thread(upload.write, piece)
            options = {"name": query.get("name", ""), "service": query.get("service", "")}
            run = await asyncio.to_thread(self._board.runs.start, upload.wish(options))
            upload.keep_until(run)
        return answer({"run": run.id}, 202)

    async def line(self, request: Request) -> Response:
        found = await asyncio.to_thread(self._board.logs.line, request.query_params.get("id", ""))
        return answer(found) if found else refuse(404, "there is no such line", "not-found")

    async def search(self, request: Request) -> Response:
        query = request.query_params
        found = await asyncio.to_thread(self._board.logs.search, query, query.getlist("field"))
        return streams.long_answer(found, "application/x-ndjson")

    async def download(self, request: Request) -> Response:
        query = request.query_params
        found = await asyncio.to_thread(self._board.logs.download, query, query.getlist("field"))
        name = (
            f"{self._board.stack.project()['project']}.{'jsonl' if query.get('format') == 'json' else 'log'}"
        )
        return streams.long_answer(found, "text/plain; charset=utf-8", file=name)

    async def trace(self, request: Request) -> Response:
        brief = request.query_params.get("brief", "") not in ("", "0")
        found = await asyncio.to_thread(self._trace_text, request.path_params["trace"], brief=brief)
        return answer_text(found) if found else _no_trace()

    def _trace_text(self, trace: str, *, brief: bool) -> str:
        """In a thread: the text of a large trace takes a while, in which other pages wait for an answer."""
        found = self._board.traces.one(trace, brief=brief)
        return to_text(found) if found else ""

    async def logs_of_trace(self, request: Request) -> Response:
        return answer(await asyncio.to_thread(self._board.traces.logs_of, request.path_params["trace"]))

    async def export_trace(self, request: Request) -> Response:
        trace = request.path_params["trace"]
        found = await asyncio.to_thread(self._board.traces.exported, trace)
        if found is None:
            return _no_trace()
        return streams.long_answer(iter([to_text(found)]), "application/json", file=f"trace-{trace}.json")

    async def import_trace(self, request: Request) -> Response:
        return answer(await asyncio.to_thread(self._board.traces.imported, await request.body()))

    async def series(self, request: Request) -> Response:
        name, query = request.path_params["name"], request.query_params
        found = await asyncio.to_thread(self._board.traces.series, name, query)
        return answer(found) if found else refuse(404, "there is no such metric", "not-found")

    async def events(self, request: Request) -> Response:
        return streams.tab_stream(self._board.hub, request, self._board.first_events)

    async def act(self, request: Request) -> Response:
        board = self._board
        wish = read_wish(await _json(request), await asyncio.to_thread(board.host.commands))
        run = await asyncio.to_thread(board.runs.start, wish)
        await asyncio.to_thread(run.wait_until_begun, _BEGIN)
        if run.confirmation is not None:
            return _ask_to_confirm(run.confirmation, board.host.secrets)
        if (refusal := run.refusal()) is not None:
            return answer(refusal, 400)
        if request.query_params.get("wait") == "0":
            return answer({"run": run.id}, 202)
        return streams.run_stream(run)

    async def cancel(self, request: Request) -> Response:
        run = self._board.runs.find(request.path_params["run"])
        if run is None:
            return refuse(404, "there is no such action", "not-found")
        run.cancel()
        return Response(status_code=204)


def _no_trace() -> Response:
    return refuse(404, "there is no such trace", "not-found", "It may be too old: only the newest are kept.")


def _ask_to_confirm(error: ConfirmationError, secrets: SecretValues) -> Response:
    needs = {"type": error.typed, "loses": secrets.hide(error.loses)}
    message = secrets.hide(error.message)
    return refuse(400, message, error.reason, error.hint, exit_code=error.exit_code, needs=needs)


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise UsageError("the body is no JSON", hint=str(error)) from None
