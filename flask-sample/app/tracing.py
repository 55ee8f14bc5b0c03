"""Traces, metrics and log records by OpenTelemetry: only where the environment names who takes them.

`invoke up --trace` does. Without OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry is imported.
"""

from __future__ import annotations

import contextvars
import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from flask import Flask, request

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
CONTEXT = "sample.context"  # in the WSGI environment: for what is logged once Flask is done with a request
SOON = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_SERVICE_NAME": "web",
    # A developer looks at a request right after it: batches of half a second instead of five.
    "OTEL_BSP_SCHEDULE_DELAY": "500",
    "OTEL_BLRP_SCHEDULE_DELAY": "500",
    "OTEL_METRIC_EXPORT_INTERVAL": "5000",
}

log = logging.getLogger("sample")


class WithTrace(logging.Formatter):
    """Ends a line of the log with the trace and the span that it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        trace, span = getattr(record, "otelTraceID", "0"), getattr(record, "otelSpanID", "0")
        return text if trace == "0" else f"{text.rstrip()} trace_id={trace} span_id={span}"


def start(app: Flask, environ: Mapping[str, str]) -> None:
    """Makes spans of requests and of what they ask Redis and MySQL, if the environment wants it.

    Called before the application has hooks of its own, so that a request which they refuse has a span too.
    """
    if not environ.get(ENDPOINT):
        return
    try:
        instrument(app)
    except ImportError as error:
        # With `up --host` it runs in an environment that may not have requirements.txt.
        log.warning("No traces: %s. pip install -r flask-sample/requirements.txt", error)


def instrument(app: Flask) -> None:
    """Raises ImportError where a package of requirements.txt is missing."""
    from opentelemetry.distro import OpenTelemetryConfigurator, OpenTelemetryDistro
    from opentelemetry.instrumentation.flask import FlaskInstrumentor
    from opentelemetry.instrumentation.logging import LoggingInstrumentor
    from opentelemetry.instrumentation.pymysql import PyMySQLInstrumentor
    from opentelemetry.instrumentation.redis import RedisInstrumentor

    for name, value in SOON.items():
        os.environ.setdefault(name, value)
    OpenTelemetryDistro().configure()
    OpenTelemetryConfigurator().configure()
    for handler in logging.getLogger().handlers:
        handler.setFormatter(WithTrace("%(message)s"))
    LoggingInstrumentor().instrument(inject_trace_context=True)
    RedisInstrumentor().instrument()
    PyMySQLInstrumentor().instrument()
    FlaskInstrumentor().instrument_app(app, excluded_urls="healthz,static")
    app.before_request(keep_context)


def keep_context() -> None:
    request.environ[CONTEXT] = contextvars.copy_context()


def untraced() -> AbstractContextManager[None]:
    """What is asked in here makes no spans: a probe every two seconds would bury the requests of people."""
    if not os.environ.get(ENDPOINT):
        return nullcontext()
    try:
        from opentelemetry.instrumentation.utils import suppress_instrumentation
    except ImportError:
        return nullcontext()
    return suppress_instrumentation()
