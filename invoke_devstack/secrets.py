"""Which names are those of secrets, which values a command has met under them, and the masks for them.

`SecretValues` collects; the console hides with it whatever it prints. The rules are in
docs/reference/security.md.
"""

from __future__ import annotations

import json
import re
import threading
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os.path import commonprefix
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from invoke_devstack.late_patterns import late

MASK = "***"

_WORDS = late(
    r"(?:^|[_.\-])(?:pass(?:word|wd|phrase|code)?s?|pwd|secrets?|tokens?|api_?keys?|private_?keys?|"
    r"access_?keys?|credentials?|creds?|auth|salt|dsn|signature|cert(?:ificate)?_?key|encryption_?keys?|"
    r"signing_?keys?|master_?keys?|key)(?:$|[_.\-])",
    re.IGNORECASE,
)
_JOINED = late(
    r"(?:password|passwd|passphrase|secret|token|apikey|privatekey|credential|requirepass|masterauth)",
    re.IGNORECASE,
)
_PLACE = late(r"[_.\-](?:file|path|dir|url_path|sock)$", re.IGNORECASE)
_ABOUT_ONE = late(r"[_.\-](?:host|port|user|username|name|type|method|mode|algorithm|ttl)$", re.I)
"""What is said about a secret or a login, and is none."""

_URL_PASSWORD = late(r"""(?<=://)([^/\s:@"'<>]*):([^/\s"'<>]+)(?=@)""")
_URL_TOKEN = late(r"""(?<=://)(?=[^/@]*[0-9])([^/\s:@"'<>]{16,})(?=@)""")
_QUOTED = r""""(?:[^"\\]|\\.)*"|'[^']*'"""
_ASSIGNED = late(
    rf"""(?<![\w.\-])(?P<key>[\w.\-]+)=(?P<value>{_QUOTED}|[^\s&;,"'`]+)"""
    rf"""|(?P<flag>(?<![\w-])--?[\w\-]+)\s+(?P<word>{_QUOTED}|[^\s"'`;|&-][^\s"'`;|&]*)"""
    rf"""|"(?P<member>[\w.\-]+)"\s*:\s*(?P<json>"(?:[^"\\]|\\.)*")"""
    r"""|^\s*(?:-\s+)?(?P<line>[\w.\-]+):[ \t]+(?P<rest>\S.*)$""",
    re.MULTILINE,
)
_CLIENT_LOGIN = late(
    r"""\b(?:(?:(?:mysql|mariadb)\w*\s[^|;&\n]*?(?<=\s)-p|redis-cli\s[^|;&\n]*?(?<=\s)-a\s+)["']?"""
    r"""|curl\s[^|;&\n]*?(?<=\s)(?:-u\s*|--user[\s=])["']?[^\s:"'`]*:"""
    r"""|[Aa]uthorization["']?:\s*["']?(?:Bearer|Basic|[Tt]oken)\s+"""
    r"""|(?i:identified\s+by|password)\s+(?='))'?(?P<login>[^\s"'`]+)"""
)
_MAY_LOG_IN = late(r" -|uthorization|(?i: by| password)\s")
_VARIABLE = late(r"([\w.\-]+)=(.*)", re.DOTALL)
_PAIRS = (("key", "value"), ("flag", "word"), ("member", "json"), ("line", "rest"))
_IN_ADDRESS = late(r"@(?!sha256:)")  # after `user:password`, where no `://` says that it is a URL
_MAY_ASSIGN = late(r"[=\n]|--?\w+\s|\":|\"\s+:")

_REFERENCE = late(r"\${1,2}(?:[A-Z_][A-Z0-9_]*|[{(].*)|<[\w .-]+>", re.DOTALL)
"""A value that stands elsewhere or is yet to come: `$NAME`, `${NAME}`, `$(command)`, `<your key>`."""
_SHELL_VARIABLE = late(r"\$\w+")  # in the text of a command; elsewhere `$word` may be a password
_SHORTEST = 6  # characters of a value that is masked wherever it stands
_LONGEST_NUMBER = 9
_PLAIN_ADDRESS = late(r"[a-z][a-z0-9+.\-]*://[^@?#\s]*|[~.]{0,2}(?:/[\w.\-]*)+|[\d.:]+", re.I)
_WORD = late(r"[A-Za-z][A-Za-z_.\-]*\d{0,2}")
_LONGEST_REMEMBERED = 40
_MOST_REMEMBERED = 4096
_CUT = "…"
_SHORTEST_START = 3  # of a secret, before the place where a text was cut off
_HEAD = 24  # of a long value: a text that was cut off still begins with it
_ESCAPED_BYTE = late(r"%[0-9A-F]{2}")
_SPECIAL_IN_QUOTES = late(r'[\\"$`]')
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """access active admin administrator always app basic bearer changeme database default develop
        development devstack disable disabled docker enable enabled example false guest hidden insecure
        internal local localhost manager master mysecret nobody optional passwd password postgres postgresql
        private production public rabbitmq required secret secrets server service sqlite staging string
        system testing testuser unknown user username value webapp""",
    )
)


def looks_secret(name: str) -> bool:
    """Whether a variable or key of this name is likely to hold a secret: `MYSQL_PASSWORD`, `apiKey`.

    Names of places (`..._FILE`, `..._PATH`) do not.
    """
    if _PLACE.search(name):
        return False
    return bool(_WORDS.search(name) or _JOINED.search(name))


def masked(name: str, value: str) -> str:
    """`value` as it may be shown with `name`: masked, or only the password in its URL masked."""
    if looks_secret(name):
        return MASK
    return without_logins(value)


Mark = Callable[[str], str]
"""What stands in the place of a secret."""


def _mask(_secret: str) -> str:
    return MASK


def without_logins(text: str, mark: Mark = _mask) -> str:
    """The text with the passwords in its URLs masked."""
    if "://" not in text:
        return text
    text = _URL_PASSWORD.sub(lambda found: f"{found[1]}:{mark(found[2])}", text)
    return _URL_TOKEN.sub(lambda found: mark(found[1]), text)


class SecretValues:
    """The secret values that one command has met.

    One that is distinctive is hidden wherever it stands, in any of its spellings. A short or common one
    (`root`, `8080`, a service's name) is hidden only where it stands as a value: after a key that looks
    secret, or in a login. Any thread may add and hide: in the dashboard many do.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._distinctive: dict[str, str] = {}  # each with the name under which it was found
        self._common: dict[str, str] = {}
        self._spared: set[str] = set()
        self._shown: dict[str, str] = {}  # short texts, such as keys, come many times
        self._later: list[Callable[[SecretValues], None]] = []
        self._spellings: tuple[str, ...] | None = None
        self._after_key: re.Pattern[str] | None = None

    def learn_later(self, learn: Callable[[SecretValues], None]) -> None:
        """Calls `learn` before the next text is shown: a command that prints nothing searches for nothing."""
        self._later.append(learn)

    def spare(self, words: Iterable[str]) -> None:
        """These words mean something else too, so a value that equals one is common."""
        self._spared.update(word.lower() for word in words if _WORD.fullmatch(word))
        self._sort_again()

    def add(self, value: str, name: str = "") -> None:
        """A secret value, found under `name`."""
        text = value.strip()
        if text and text != MASK and not _REFERENCE.fullmatch(text):
            with self._lock:
                kind = self._common if self._is_common(text, name) else self._distinctive
                kind.setdefault(text, name)
                self._spellings = self._after_key = None

    def learn(self, data: Any, name: str = "") -> None:
        """The secrets in texts, mappings and lists: by the names that values stand under. `name` is that of
        `data`."""
        if isinstance(data, str):
            self._learn_text(data, name)
        elif isinstance(data, Mapping):
            for key, item in data.items():
                self.learn(item, str(key))
        elif isinstance(data, list | tuple):
            self._learn_list(data, name)
        elif isinstance(data, int) and not isinstance(data, bool) and _names_a_value(name):
            self.add(str(data), name)

    def name_of(self, value: str) -> str:
        """The name under which a value was found; "" if there was none."""
        return self._distinctive.get(value) or self._common.get(value, "")

    def hide(self, text: str, mark: Mark = _mask) -> str:
        """The text with masks, or with what `mark` returns for each secret in it."""
        spellings = self._spellings
        if self._later or spellings is None:
            spellings = self._prepare()
        if mark is not _mask or len(text) > _LONGEST_REMEMBERED:
            return self._hidden(text, spellings, mark)
        remembered = self._shown
        shown = remembered.get(text)
        if shown is None:
            if len(remembered) >= _MOST_REMEMBERED:
                remembered.clear()
            shown = remembered[text] = self._hidden(text, spellings, mark)
        return shown

    def _prepare(self) -> tuple[str, ...]:
        """Learns what was put off. Texts that another thread is hiding with the secrets of before are
        remembered in the dictionary of before."""
        with self._lock:
            while self._later:
                self._later.pop()(self)
            if self._spellings is None:
                self._shown = {}
                self._spellings = tuple(_spellings_of(self._distinctive))
            return self._spellings

    def _hidden(self, text: str, spellings: Iterable[str], mark: Mark) -> str:
        for spelling in spellings:
            if spelling[:_HEAD] in text:
                text = _cut_out(text, spelling, mark)
        if _CUT in text:
            text = self._without_cut_ends(text, mark)
        if any(value in text for value in tuple(self._common)):
            text = self._hide_after_keys(text, mark)
        return without_logins(text, mark)

    def _without_cut_ends(self, text: str, mark: Mark) -> str:
        """The text without the starts of secrets where it was cut off."""
        first, *rest = text.split(_CUT)
        parts = [first, *rest]
        for index, part in enumerate(parts[:-1]):
            ends = (part[-size:] for size in range(min(_HEAD, len(part)), _SHORTEST_START - 1, -1))
            end = next((end for end in ends if any(own.startswith(end) for own in self._spellings or ())), "")
            if end:
                parts[index] = part.removesuffix(end) + mark(end)
        return _CUT.join(parts)

    def hide_in(self, value: Any) -> Any:
        """The same data with masks in all of its texts."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, tuple | list):
            return type(value)(self.hide_in(item) for item in value)
        if isinstance(value, Mapping):
            return {self.hide_in(key): self._hide_member(key, item) for key, item in value.items()}
        return value

    def holds(self, value: Any) -> bool:
        """Whether a secret is somewhere in the data."""
        return bool(self.hide_in(value) != value)

    def _hide_member(self, key: Any, item: Any) -> Any:
        alone = isinstance(item, str | int) and not isinstance(item, bool)
        known = alone and (str(item) in self._common or str(item) in self._distinctive)
        return MASK if known and _names_a_value(str(key)) else self.hide_in(item)

    def _learn_text(self, text: str, name: str) -> None:
        if _names_a_value(name):
            self.add(text, name)
        for found in _URL_PASSWORD.finditer(text) if "://" in text else ():
            self._add_of_url(found[2])
        for found in _URL_TOKEN.finditer(text) if "://" in text else ():
            self._add_of_url(found[1])
        for found in _ASSIGNED.finditer(text) if _MAY_ASSIGN.search(text) else ():
            for key, value in _PAIRS:
                if found[key] and _names_a_value(found[key]):
                    self._add_of_text(_unquoted(found[value]), found[key])
        for found in _CLIENT_LOGIN.finditer(text) if _MAY_LOG_IN.search(text) else ():
            self._add_of_text(found["login"])

    def _add_of_url(self, value: str) -> None:
        """As the URL spells it, and as the program that reads the URL says it."""
        self.add(value)
        if "%" in value:
            self.add(unquote(value, errors="surrogateescape"))

    def _add_of_text(self, value: str, name: str = "") -> None:
        if not _SHELL_VARIABLE.fullmatch(value):
            self.add(value, name)

    def _learn_list(self, items: Sequence[Any], name: str) -> None:
        """Each item by the list's name, a variable by its own, and a word after `--password` by that."""
        flag = ""
        for item in items:
            pair = _VARIABLE.fullmatch(item) if isinstance(item, str) else None
            if pair:
                self.learn(pair[2], pair[1])
            self.learn(item, flag or name)
            flag = item if isinstance(item, str) and item.startswith("-") and not pair else ""
        self.learn(" ".join(item for item in items if isinstance(item, str)))

    def _is_common(self, value: str, name: str) -> bool:
        plain = value.lower()
        return (
            len(value) < _SHORTEST
            or plain in _COMMON
            or plain in self._spared
            or (value.isdigit() and len(value) <= _LONGEST_NUMBER)
            or bool(_PLAIN_ADDRESS.fullmatch(value) or _ABOUT_ONE.search(name))
        )

    def _sort_again(self) -> None:
        with self._lock:
            common = [value for value in self._distinctive if value.lower() in self._spared]
            for value in common:
                self._common.setdefault(value, self._distinctive.pop(value))
            self._spellings = self._after_key = None

    def _hide_after_keys(self, text: str, mark: Mark) -> str:
        pattern = self._after_key
        if pattern is None:
            with self._lock:
                pattern = self._after_key = self._compiled()
        text = pattern.sub(lambda found: _hidden_after_key(found, mark), text)
        return _CLIENT_LOGIN.sub(self._hidden_login(mark), text) if _MAY_LOG_IN.search(text) else text

    def _hidden_login(self, mark: Mark) -> Callable[[re.Match[str]], str]:
        def replace(found: re.Match[str]) -> str:
            before, login = found[0].removesuffix(found["login"]), found["login"]
            return f"{before}{mark(login)}" if login.rstrip(";,)") in self._common else found[0]

        return replace

    def _compiled(self) -> re.Pattern[str]:
        values = "|".join(re.escape(value) for value in sorted(self._common, key=len, reverse=True))
        return re.compile(
            rf"""(?P<before>(?<![\w.\-])(?P<key>-{{0,2}}\w[\w.\-]*)(?:["']?\s*(?:=|:\s?)\s?|(?<=[\w-])\s)["']?"""
            rf"""|(?<![\w-])-[pa]\s?)(?P<value>{values})(?![\w.\-]*\w)"""
        )


def _hidden_after_key(found: re.Match[str], mark: Mark) -> str:
    key = found["key"] or ""
    is_flag = not key or key.startswith("-")
    joined = "=" in found["before"] or ":" in found["before"]
    named = (not key or looks_secret(key)) and (is_flag or joined)
    hidden = named or (found["before"].endswith(":") and _IN_ADDRESS.match(found.string, found.end()))
    return f"{found['before']}{mark(found['value'])}" if hidden else found[0]


def _names_a_value(name: str) -> bool:
    """Of a dotted name, such as a label's, only the last part counts: `auth` in
    `traefik.http.routers.auth.rule` is a service."""
    last = name.rpartition(".")[2]
    return bool(last) and last != "PWD" and looks_secret(last)


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        try:
            return str(json.loads(text)) if text[0] == '"' else text[1:-1]
        except ValueError:
            return text[1:-1]
    return text


def _cut_out(text: str, spelling: str, mark: Mark) -> str:
    """The text with a mark for the spelling, or for as much of it as there is from its start on."""
    head, parts, end = spelling[:_HEAD], [], 0
    while (start := text.find(head, end)) >= 0:
        found = commonprefix((text[start : start + len(spelling)], spelling))  # noqa: RUF071 - no paths
        parts += [text[end:start], mark(found)]
        end = start + len(found)
    return "".join([*parts, text[end:]])


def _spellings_of(values: Iterable[str]) -> Iterator[str]:
    """The values as they are, and as URLs, JSON, YAML, shells, Compose files and base64 spell them; the
    longest first."""
    found = {spelling for value in values for spelling in _spellings(value)}
    return iter(sorted(found, key=lambda spelling: (-len(spelling), spelling)))


def _spellings(value: str) -> Iterator[str]:
    yield value
    encoded = value.encode("utf-8", "surrogateescape")
    yield b2a_base64(encoded, newline=False).decode().rstrip("=")
    if value.isalnum() and value.isascii():
        return
    for text in (value, value.replace("$", "$$")):
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
    for quoted in (quote(encoded, safe=""), quote(encoded), quote_plus(encoded)):
        yield quoted
        yield _ESCAPED_BYTE.sub(lambda found: found[0].lower(), quoted)
    yield value.replace("$", "$$")
    yield value.replace("'", "'\"'\"'")
    yield value.replace("'", "'\\''")
    yield value.replace("'", "''")
    yield _SPECIAL_IN_QUOTES.sub(r"\\\g<0>", value)
    yield repr(value)[1:-1]
    marked_up = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    yield marked_up
    yield marked_up.replace("'", "&#x27;")
    yield from _lines_of(value)


def _lines_of(value: str) -> Iterator[str]:
    """A value of several lines (a key, a JSON document) on one line, and each line that is long enough."""
    if "\n" in value:
        yield " ".join(value.split())
        yield value.replace("\n", "⏎")
        lines = (line.strip() for line in value.splitlines())
        yield from (line for line in lines if len(line) >= _HEAD and not line.startswith("-----"))
