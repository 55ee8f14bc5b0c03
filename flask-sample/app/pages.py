"""What the sample answers to a browser, and to a probe."""

from __future__ import annotations

import logging
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    abort,
    flash,
    get_flashed_messages,
    jsonify,
    redirect,
    render_template,
    request,
)
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from app.asking import Answer, Question
from app.notes import LONGEST, Notebook, Notes
from app.tracing import untraced
from app.visits import Count, Visits

log = logging.getLogger("sample")

Page = str | tuple[str, int] | AnyResponse

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def register(app: Flask, visits: Visits, notes: Notes) -> None:
    """Adds the pages to the application."""

    @app.get("/")
    def show() -> Page:
        # The page that answers a form is no visit of its own.
        return show_page(visits, notes, count_visit=not get_flashed_messages())

    @app.post("/notes")
    def add_note() -> Page:
        text = tidy(request.form.get("text", ""))
        if trouble := what_is_wrong_with(text):
            return show_page(visits, notes, draft=text, problem=trouble), 400
        answer = Question(lambda: notes.add(text)).answer()
        if not answer.here:
            log.error("The note was not saved: MySQL is away: %s", answer.trouble)
            return show_page(visits, notes, draft=text, problem="The note was not saved: MySQL is away."), 503
        flash("Note added.")
        return redirect("/", 303)

    @app.post("/notes/<int:note_id>/delete")
    def delete_note(note_id: int) -> Page:
        answer = Question(lambda: notes.delete(note_id)).answer()
        if not answer.here:
            log.error("The note was not deleted: MySQL is away: %s", answer.trouble)
            return show_page(visits, notes, problem="The note was not deleted: MySQL is away."), 503
        flash("Note deleted." if answer.value else "That note was gone already.")
        return redirect("/", 303)

    @app.get("/healthz")
    def healthz() -> tuple[Response, int]:
        return health(visits, notes)

    app.before_request(refuse_forms_of_other_sites)
    app.after_request(add_security_headers)
    app.register_error_handler(HTTPException, show_error)
    app.add_template_filter(how_long_ago)


def show_page(
    visits: Visits, notes: Notes, *, count_visit: bool = False, draft: str = "", problem: str = ""
) -> str:
    """The page, whatever is away. Both databases are asked at the same time."""
    asked_redis: Question[Count] = Question(lambda: visits.count(add=count_visit))
    asked_mysql: Question[Notebook] = Question(notes.read)
    redis, mysql = asked_redis.answer(), asked_mysql.answer()
    return render_template(
        "index.html",
        redis=redis,
        mysql=mysql,
        redis_address=visits.address,
        mysql_address=notes.address,
        longest=LONGEST,
        draft=draft,
        problem=problem,
        python_version=platform.python_version(),
        flask_version=version("flask"),
        container=platform.node(),
    )


def health(visits: Visits, notes: Notes) -> tuple[Response, int]:
    """200 when a visitor would get everything, else 503 that names what is away."""
    with untraced():
        asked_redis, asked_mysql = Question(visits.ping), Question(notes.ping)
    answers: dict[str, Answer[None]] = {"redis": asked_redis.answer(), "mysql": asked_mysql.answer()}
    all_here = all(answer.here for answer in answers.values())
    parts = {name: "ok" if answer.here else f"away: {answer.trouble}" for name, answer in answers.items()}
    return jsonify({"status": "ok" if all_here else "unavailable", **parts}), 200 if all_here else 503


def tidy(text: str) -> str:
    """The note as it is kept: a browser sends each line end as two characters."""
    return text.replace("\r\n", "\n").strip()


def what_is_wrong_with(text: str) -> str | None:
    """Why this cannot be a note, in words for the person who wrote it; None if it can."""
    if not text:
        return "Write something first: an empty note is not kept."
    if len(text) > LONGEST:
        return f"A note has at most {LONGEST} characters; this one has {len(text)}."
    return None


def refuse_forms_of_other_sites() -> None:
    """Lets no page of another site send a form here.

    Browsers say where a form comes from, and a page cannot make that up. Tools such as curl say nothing: they
    act for the person who typed the command.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("Origin")
    fetched_from = request.headers.get("Sec-Fetch-Site", "same-origin")
    same_host = origin is None or urlsplit(origin).netloc == request.host
    if not same_host or fetched_from not in ("same-origin", "none"):
        abort(403, "This form was sent from another site.")


def add_security_headers(response: Response) -> Response:
    """No script runs on these pages, and nothing is loaded from elsewhere."""
    response.headers.update(SECURITY_HEADERS)
    return response


def show_error(error: HTTPException) -> Page:
    """A readable page for whatever cannot be answered."""
    if error.code is None or error.code < 400:
        return error.get_response()
    return render_template("error.html", error=error), error.code


def how_long_ago(moment: datetime, now: datetime | None = None) -> str:
    """`just now`, `5 minutes ago`, `3 days ago`; the date from a week on."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 7 * 86400:
            return f"{moment:%-d %B %Y}"
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"
