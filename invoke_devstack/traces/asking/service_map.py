"""Who calls whom, with rates, errors and durations: drawn from the newest spans."""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from invoke_devstack.traces.asking.moments import milliseconds
from invoke_devstack.traces.rows import CLIENT, CONSUMER, ERROR, PRODUCER, SERVER

MOST = 20_000  # spans
_MESSAGING = frozenset(
    {"kafka", "rabbitmq", "nats", "aws_sqs", "activemq", "pulsar", "gcp_pubsub", "servicebus"}
)
_DATABASES = frozenset(
    {
        "aws.dynamodb", "cassandra", "clickhouse", "couchdb", "dynamodb", "elasticsearch", "mariadb",
        "memcached", "microsoft.sql_server", "mongodb", "mssql", "mysql", "opensearch", "oracle", "oracle.db",
        "postgresql", "redis", "sqlite", "valkey",
    }
)  # fmt: skip


class _Calls:
    def __init__(self) -> None:
        self.durations: list[int] = []
        self.errors = 0

    def add(self, duration: int, status: int) -> None:
        self.durations.append(duration)
        self.errors += status == ERROR

    def numbers(self, seconds: float) -> dict[str, Any]:
        ordered, count = sorted(self.durations), len(self.durations)
        return {
            "rate": round(count / seconds, 3),
            "errors": self.errors,
            "error_rate": round(self.errors / count, 4) if count else 0.0,
            "p50_ms": milliseconds(_quantile(ordered, 0.5)),
            "p95_ms": milliseconds(_quantile(ordered, 0.95)),
        }


def _quantile(ordered: list[int], part: float) -> int:
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0


def draw_map(connection: sqlite3.Connection, since: int) -> dict[str, Any]:
    """`since` is in nanoseconds. A service's numbers are those of its requests: its server and consumer
    spans, and those that another service or nobody called."""
    rows = connection.execute(
        "SELECT trace, span, parent, service, kind, start, end, status, peer FROM spans "
        "ORDER BY id DESC LIMIT ?",
        (MOST,),
    ).fetchall()
    sampled = len(rows) == MOST
    rows = [row for row in rows if row[5] >= since]
    first = min((row[5] for row in rows), default=since)
    seconds = max((time.time_ns() - (max(first, since) if sampled else since)) / 1e9, 1.0)
    nodes, edges, counts, kinds = _counted(rows)
    return {
        "sampled": sampled,
        "spans": len(rows),
        "seconds": round(seconds, 1),
        "nodes": [
            {
                "service": name,
                "kind": kinds.get(name, "service"),
                "spans": counts[name],
                **nodes[name].numbers(seconds),
            }
            for name in sorted(counts)
        ],
        "edges": [
            {"from": one, "to": other, "calls": len(calls.durations), **calls.numbers(seconds)}
            for (one, other), calls in sorted(edges.items())
        ],
    }


def _counted(rows: Iterable[Any]) -> tuple[Any, Any, dict[str, int], dict[str, str]]:
    nodes: dict[str, _Calls] = defaultdict(_Calls)
    edges: dict[tuple[str, str], _Calls] = defaultdict(_Calls)
    counts: dict[str, int] = defaultdict(int)
    kinds: dict[str, str] = {}
    services = {(row[0], row[1]): row[3] for row in rows}
    answered = set()
    for trace, _, parent, service, kind, start, end, status, _ in rows:
        counts[service] += 1
        caller = services.get((trace, parent)) if parent else None
        if caller != service and parent:
            answered.add((trace, parent))
        if kind in (SERVER, CONSUMER) or caller is None or caller != service:
            nodes[service].add(end - start, status)
        if caller is not None and caller != service:
            edges[caller, service].add(end - start, status)
    own = {*counts}
    for trace, span, _, service, kind, start, end, status, peer in rows:
        if kind in (CLIENT, PRODUCER) and peer and (trace, span) not in answered and peer != service:
            edges[service, peer].add(end - start, status)
            if peer not in own:
                counts[peer] += 1
                nodes[peer].add(end - start, status)
                kinds[peer] = _kind_of(peer)
    return nodes, edges, counts, kinds


def _kind_of(peer: str) -> str:
    name = peer.lower()
    return "database" if name in _DATABASES else "messaging" if name in _MESSAGING else "external"
