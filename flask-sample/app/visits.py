"""The visit counter, kept in Redis."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry

from app.asking import ANSWER_WITHIN
from app.config import Settings

KEY = "sample:visits"


@dataclass(frozen=True)
class Count:
    """How often the page was visited, and what Redis says of itself."""

    visits: int
    version: str
    milliseconds: float


class Visits:
    """Counts visits. The client connects when first asked, and again by itself when the server was away."""

    def __init__(self, settings: Settings) -> None:
        self.address = f"{settings.redis_host}:{settings.redis_port}"
        self._redis = Redis(
            host=settings.redis_host,
            port=settings.redis_port,
            decode_responses=True,
            socket_connect_timeout=ANSWER_WITHIN,
            socket_timeout=ANSWER_WITHIN,
            # Once more at once, since a connection from before the server restarted fails the first time.
            # Never after a silence: the visit may have been counted.
            retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),
        )

    def count(self, *, add: bool) -> Count:
        """The number of visits, one more first if `add`. Raises what the client raises when Redis is away."""
        started = perf_counter()
        pipeline = self._redis.pipeline()
        pipeline.incrby(KEY, 1 if add else 0)
        pipeline.info("server")
        visits, server = pipeline.execute()
        return Count(visits, server["redis_version"], (perf_counter() - started) * 1000)

    def ping(self) -> None:
        """Raises what the client raises when Redis is away."""
        self._redis.ping()
