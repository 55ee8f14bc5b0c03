"""The sample: a page that counts its visits in Redis and keeps notes in MySQL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping

from flask import Flask

from app import pages, tracing
from app.config import Settings
from app.notes import Notes
from app.visits import Visits


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    """Builds the application from the variables of its environment. Connects to nothing yet."""
    settings = Settings.from_environ(environ)
    app = Flask(__name__)
    app.config["SECRET_KEY"] = settings.secret_key or secrets.token_hex()
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
    if settings.debug:
        # Without a cache every request reads the templates anew, so that a saved one is there at once.
        app.jinja_options = {"cache_size": 0}
    tracing.start(app, environ)
    pages.register(app, Visits(settings), Notes(settings))
    return app
