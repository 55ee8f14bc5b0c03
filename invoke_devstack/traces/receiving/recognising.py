"""Secrets that nobody told us of, recognised in a text by what stands before them or by their own shape.

The values of the stack's own secrets are known, and are masked wherever they stand (`secrets.SecretValues`).
Here is what else gives a secret away: the name of a header, variable, flag or member of JSON, a statement of
SQL or Redis that sets a password, and the shapes of widely used tokens.
"""

from __future__ import annotations

import re
from functools import lru_cache

from invoke_devstack.secrets import MASK, looks_secret, without_logins

_SIGNS = (
    *(
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "cred",
        "auth",
        "cookie",
        "bearer",
        "basic",
        "signature",
        "sig=",
    ),
    *(
        "jwt",
        "dsn",
        "salt",
        "://",
        "identified",
        "eyj",
        "akia",
        "asia",
        "aiza",
        "gho_",
        "ghp_",
        "ghr_",
        "ghs_",
    ),
    *("ghu_", "github_pat", "glpat", "xox", "sk_", "rk_", "sk-"),
)
"""One of these is in each text that is worth a closer look. To look for each is many times as fast as one
regular expression of all."""
_NAMED = re.compile(
    r"""(?<![\w.\-])(?P<key>[\w.\-]{2,64})\\{0,8}["']?\s{0,4}(?P<sign>=|:(?!//))\s{0,4}""", re.IGNORECASE
)
_DOUBLE = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
_SINGLE = r"'(?:[^'\\]|\\.|'')*+(?:'|\\?\Z)"
_ESCAPED = r'\\+"(?:(?!\\+").)*+(?:\\+"|\Z)'
_VALUE = re.compile(
    rf"""{_ESCAPED}|{_DOUBLE}|{_SINGLE}|(?:Bearer|Basic|Digest|Token)\s+[^\s"',;]+|[^\s&;,"')]+""",
    re.IGNORECASE | re.DOTALL,
)
"""What follows a name. A quote that is never closed, as in a text that was cut, ends with the text."""
_COOKIES = re.compile(rf"""{_ESCAPED}|{_DOUBLE}|{_SINGLE}|[^\n"']+""", re.DOTALL)
_FLAG = re.compile(
    rf"""(?<![\w\-])(?P<before>--?(?P<key>[\w\-]{{2,64}})\s+)(?:{_DOUBLE}|{_SINGLE}|[^\s"'\-][^\s"']*)""",
    re.DOTALL,
)
_STATEMENT = re.compile(
    rf"""(?P<before>\bidentified\s+(?:with\s+\S+\s+)?(?:by|as)\s+(?:password\s+)?"""
    rf"""|\bpassword\s+for\s+\S+\s*=\s*(?:password\(\s*)?|\bpassword\s*\(\s*|\bpassword\s+)(?:{_DOUBLE}|{_SINGLE})"""
    r"""|(?P<redis>\b(?:requirepass|masterauth)\s+)\S+""",
    re.IGNORECASE | re.DOTALL,
)
_REDIS_LOGIN = re.compile(r"(?P<before>\A\s*(?:AUTH|HELLO\s+\d\s+AUTH)\s+)(?!\?)\S[^\n]*")
_SHAPED = re.compile(
    r"\beyJ[\w\-]{8,}\.eyJ[\w\-]{4,}\.[\w\-]*"  # a JSON Web Token
    r"|\bA[KS]IA[0-9A-Z]{16}\b|\bAIza[\w\-]{35}"  # clouds
    r"|\bgh[pousr]_[0-9A-Za-z]{30,}|\bgithub_pat_\w{30,}|\bglpat-[\w\-]{20,}"
    r"|\bxox[abeoprs]-[\w\-]{10,}|\b[sr]k_(?:live|test)_[0-9A-Za-z]{16,}|\bsk-[\w\-]{24,}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_LOGIN = re.compile(r"\b(?P<before>Bearer\s+|Basic\s+)(?=[^\s\"',;]*[0-9=._\-])[^\s\"',;]{6,}")
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_COOKIE_HEADERS = frozenset({"cookie", "set-cookie"})
_SHORT_NAMES = frozenset({"sig", "jwt"})
_TOO_PLAIN = frozenset({"key", "keys", "auth", "token", "tokens", "pass"})
"""Before a colon these are ordinary words: `cache key: user:1`."""


@lru_cache(maxsize=4096)
def names_secret(name: str) -> bool:
    """Whether an attribute of this name is likely to hold a secret. Of a dotted name only the last part
    counts, as `auth` in `auth.method` is no secret."""
    last = name.rpartition(".")[2].lower()
    return last.replace("_", "-") in _HEADERS or last in _SHORT_NAMES or looks_secret(last)


def is_secret_flag(text: str) -> bool:
    """Whether a word of a command says that the next one is a secret: `--password`."""
    return text.startswith("-") and "=" not in text and names_secret(text.lstrip("-"))


def without_recognised(text: str) -> str:
    """The text with masks for all that is recognised."""
    lowered = text.lower()
    if not any(sign in lowered for sign in _SIGNS):
        return text
    text = _SHAPED.sub(MASK, text)
    text = _STATEMENT.sub(lambda found: f"{found['before'] or found['redis']}{MASK}", text)
    text = _REDIS_LOGIN.sub(lambda found: f"{found['before']}{MASK}", text)
    text = _FLAG.sub(_hide_after_flag, text)
    text = _LOGIN.sub(lambda found: f"{found['before']}{MASK}", _without_assigned(text))
    return without_logins(text)


def _hide_after_flag(found: re.Match[str]) -> str:
    return f"{found['before']}{MASK}" if names_secret(found["key"]) else found[0]


def _without_assigned(text: str) -> str:
    """The text without values that stand after the name of a secret. A value may be such a pair itself."""
    parts, end, at = [], 0, 0
    while found := _NAMED.search(text, at):
        at = found.end()
        key = found["key"].lower()
        if _assigns_secret(key, found["sign"]):
            value = (_COOKIES if key in _COOKIE_HEADERS else _VALUE).match(text, at)
            if value is not None:
                parts += [text[end:at], MASK]
                end = at = value.end()
    return "".join([*parts, text[end:]])


def _assigns_secret(key: str, sign: str) -> bool:
    return key in _HEADERS or (names_secret(key) and not (sign == ":" and key in _TOO_PLAIN))
