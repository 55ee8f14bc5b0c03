"""The SDK's HTTP session over our own connections.

The SDK keeps one pool of connections for each full URL, at most 25, and closes the oldest one even
while another thread is about to use it. Here is one pool for all, large enough for every thread.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from invoke_devstack.engine.dialing import Dial

POOL_SIZE = 64  # idle connections kept; more than that may be open at once


class DialedConnection(HTTPConnection):
    def __init__(self, dial: Dial) -> None:
        super().__init__("localhost")
        self._dial = dial

    def connect(self) -> None:
        timeout = self.timeout if isinstance(self.timeout, int | float) else None
        self.sock: socket.socket = self._dial(timeout)


class DialedPool(HTTPConnectionPool):
    def __init__(self, dial: Dial) -> None:
        super().__init__("localhost", maxsize=POOL_SIZE, block=False, retries=urllib3.Retry(0))
        self._dial = dial

    def _new_conn(self) -> DialedConnection:
        self.num_connections += 1
        return DialedConnection(self._dial)


class DialedAdapter(HTTPAdapter):
    """Mounted on a `requests` session, it sends every request through `dial`."""

    def __init__(self, dial: Dial) -> None:
        super().__init__()
        self._pool = DialedPool(dial)

    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: Any = None,
    ) -> HTTPConnectionPool:
        return self._pool

    def request_url(self, request: PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        return str(request.path_url)

    def close(self) -> None:
        self._pool.close()
