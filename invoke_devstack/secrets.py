"""Which names are likely to hold a secret, so that their values are masked wherever values are shown."""

from __future__ import annotations

import re

MASK = "***"

_WORDS = re.compile(
    r"(?:^|[_.\-])(?:pass(?:word|wd|phrase|code)?s?|pwd|secrets?|tokens?|api_?keys?|private_?keys?|"
    r"access_?keys?|credentials?|creds?|auth|salt|dsn|signature|cert(?:ificate)?_?key|encryption_?keys?|"
    r"signing_?keys?|master_?keys?|key)(?:$|[_.\-])",
    re.IGNORECASE,
)
_JOINED = re.compile(
    r"(?:password|passwd|passphrase|secret|token|apikey|privatekey|credential)", re.IGNORECASE
)
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):([^/\s@]+)(?=@)")


def looks_secret(name: str) -> bool:
    """Whether a variable or key of that name is likely to hold a secret: `MYSQL_PASSWORD`, `apiKey`.

    A name that says where a secret is (`..._FILE`, `..._PATH`) holds none.
    """
    if re.search(r"[_.\-](?:file|path|dir|url_path)$", name, re.IGNORECASE):
        return False
    return bool(_WORDS.search(name) or _JOINED.search(name))


def masked(name: str, value: str) -> str:
    """`value` as it may be shown beside `name`: masked, or with the password of its URL masked."""
    if looks_secret(name):
        return MASK
    return _URL_PASSWORD.sub(rf"\1:{MASK}", value)
