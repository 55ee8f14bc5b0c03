"""A build that failed for DNS or a proxy gets a hint that knows it."""

from __future__ import annotations

import pytest

from invoke_devstack.engine.builds.build_log import _network_hint


@pytest.mark.parametrize(
    ("output", "about"),
    [
        ("Temporary failure resolving 'deb.example.org'", "name server"),
        ("curl: (6) Could not resolve host: example.org", "name server"),
        ("npm error code EAI_AGAIN", "name server"),
        ("npm error getaddrinfo ENOTFOUND registry.example.org", "name server"),
        ("wget: bad address 'example.org'", "name server"),
        ("NameResolutionError: Failed to resolve 'index.example.org'", "name server"),
        ("socket.gaierror: [Errno -2] Name or service not known", "name server"),
        ("curl: (5) Could not resolve proxy: proxy.example.org", "met a proxy"),
        ("curl: (56) Received HTTP code 407 from proxy after CONNECT", "met a proxy"),
        ("ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed'))", "met a proxy"),
        ("make: *** [all] Error 2", ""),
        ("ENOENT: no such file or directory, open 'package.json'", ""),
    ],
)
def test_what_a_program_says_without_a_network(output: str, about: str) -> None:
    hint = _network_hint(f"doing this\n{output}\ndoing that")
    assert about in hint
    assert bool(hint) == bool(about)
