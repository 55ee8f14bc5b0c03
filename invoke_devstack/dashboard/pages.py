"""The front end's files, and the one page that they make."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

STATIC = Path(__file__).parent / "static"
_HEADERS = {"cache-control": "no-cache"}
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


async def page(request: Request) -> Response:
    """One page for every address without a dot: the application reads the rest of the address itself."""
    if "." in request.path_params.get("path", ""):
        return _missing()
    return _file(STATIC / "index.html", request)


async def static(request: Request) -> Response:
    """A file below `static/`, and nothing else."""
    wanted = request.path_params["path"]
    if "\0" in wanted:
        return _missing()
    path = (STATIC / wanted).resolve()
    return _file(path, request) if path.is_relative_to(STATIC.resolve()) else _missing()


async def icon(request: Request) -> Response:
    return _file(STATIC / "favicon.svg", request)


def _file(path: Path, request: Request) -> Response:
    if path.suffix not in _TYPES or not path.is_file():
        return _missing()
    response = FileResponse(path, media_type=_TYPES[path.suffix], headers=_HEADERS, stat_result=path.stat())
    known = request.headers.get("if-none-match", "")
    if response.headers["etag"] in known.split(", "):
        return Response(status_code=304, headers={**_HEADERS, "etag": response.headers["etag"]})
    return response


def _missing() -> Response:
    return PlainTextResponse("not found\n", 404)
