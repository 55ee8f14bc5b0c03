"""Lines: their store, their levels and fields, and what finds them."""

from __future__ import annotations

import json

import pytest

from invoke_devstack.acting.log_line import LEVELS, Line, lines_of
from invoke_devstack.dashboard.logs.blocks import pack
from invoke_devstack.dashboard.logs.fields import members
from invoke_devstack.dashboard.logs.filters import Filter, read_filter
from invoke_devstack.dashboard.logs.needles import needle_of
from invoke_devstack.dashboard.logs.store import Store
from invoke_devstack.errors import UsageError

_BLOCK = 1000


def stamp(number: int) -> bytes:
    return f"2026-01-02T03:{number // 60000:02}:{number // 1000 % 60:02}.{number % 1000:03}000000Z".encode()


def line(number: int, text: str, service: str = "web") -> Line:
    return Line(None, stamp(number), service, f"p-{service}-1", "stdout", text.encode())


def filled(count: int, most: int = 10**9) -> Store:
    store = Store(most)
    store.add(
        [line(number, f"line {number}", "web" if number % 2 else "db") for number in range(1, count + 1)]
    )
    return store


def texts(lines: list[Line]) -> list[str]:
    return [item.text.decode() for item in lines]


def test_every_line_comes_once_forwards_and_backwards() -> None:
    count = 3 * _BLOCK + 7
    store = filled(count)
    forwards: list[str] = []
    number = 0
    while lines := (page := store.after(number, 400, Filter())).lines:
        forwards += texts(lines)
        number = page.after
    backwards: list[str] = []
    before: int | None = store.last + 1
    while before is not None:
        page = store.before(before, 400, Filter())
        backwards = [*texts(page.lines), *backwards]
        before = page.before
    assert forwards == backwards == [f"line {number}" for number in range(1, count + 1)]


def test_earlier_lines_get_the_numbers_before_the_first() -> None:
    store = Store(first=10**6)
    assert [item.number for item in store.add([line(5000, "live"), line(5001, "too")])] == [10**6, 10**6 + 1]
    earlier = [
        pack([line(number, f"line {number}") for number in range(start, start + 9)], 1) for start in (1, 10)
    ]
    assert not store.put_before(earlier, stamp(1))
    assert store.put_before(earlier, stamp(5000))
    assert (store.first, store.last) == (10**6 - 18, 10**6 + 1)
    shown = store.after(0, 100, Filter()).lines
    assert texts(shown) == [*(f"line {number}" for number in range(1, 19)), "live", "too"]
    assert [item.number for item in shown] == [*range(store.first, store.last + 1)]


def test_members_are_counted_with_their_most_common_values() -> None:
    store = Store()
    store.add(
        [line(number, f'{{"id": {number}, "user": {{"name": "u{number % 2}"}}}}') for number in range(1, 31)]
    )
    store.add([line(31, "plain"), line(32, '{"user": {"name": "u1"}}')])
    user, id_ = members(store.newest_first(Filter()))
    assert (user["name"], user["lines"], user["more"]) == ("user.name", 31, False)
    assert user["values"] == [{"value": "u1", "lines": 16}, {"value": "u0", "lines": 15}]
    assert (id_["name"], id_["lines"], len(id_["values"]), id_["more"]) == ("id", 30, 20, True)
    assert members(store.newest_first(read_filter({"q": "plain"}))) == []


def test_the_oldest_lines_go_when_it_is_full_and_it_says_so() -> None:
    store = filled(20 * _BLOCK, most=20_000)
    assert store.dropped
    assert store.first > 1
    assert store.last == 20 * _BLOCK
    oldest = store.after(0, 1, Filter()).lines[0]
    assert texts([oldest]) == [f"line {store.first}"]


def test_a_filter_finds_lines_in_blocks_that_were_packed() -> None:
    store = filled(3 * _BLOCK)
    found = store.before(store.last + 1, 10, read_filter({"q": "LINE 20"}))
    assert texts(found.lines)[-1] == "line 2099"
    found = store.after(0, 3, read_filter({"q": "^line 2..7$", "regex": "1"}))
    assert texts(found.lines) == ["line 2007", "line 2017", "line 2027"]
    assert texts(store.after(0, 2, read_filter({"services": "db"})).lines) == ["line 2", "line 4"]
    assert store.after(0, 2, read_filter({"q": "line", "case": "1", "services": "other"})).lines == []
    assert store.before(store.last + 1, 5, read_filter({"until": "2026-01-02T03:00:00.500Z"})).lines[
        -1
    ].text.decode() == ("line 500")


def test_following_a_filter_goes_on_from_the_newest_line() -> None:
    store = filled(10)
    page = store.before(store.last + 1, 5, read_filter({"q": "nothing"}))
    assert (page.lines, page.after) == ([], 10)
    store.add([line(11, "nothing new")])
    assert texts(store.after(page.after, 5, read_filter({"q": "nothing"})).lines) == ["nothing new"]


def test_a_time_is_found_in_packed_and_open_blocks() -> None:
    store = filled(_BLOCK + 10)
    assert store.number_at(stamp(500)) == 500
    assert store.number_at(stamp(_BLOCK + 5)) == _BLOCK + 5
    assert store.number_at(stamp(90_000)) == _BLOCK + 11


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("2026-01-02 ERROR something broke", "error"),
        ("WARNING: old", "warning"),
        ("[info] fine", "info"),
        ("level=warn msg=x", "warning"),
        ("\x1b[31mERROR\x1b[0m in red", "error"),
        ("no errors found", ""),
        ("the error page", ""),
        ('{"level": "critical", "msg": "x"}', "fatal"),
        ('{"level": 40}', "warning"),
        ("Traceback (most recent call last):", "error"),
        ("", ""),
    ],
)
def test_a_level_is_read_where_loggers_write_it(text: str, level: str) -> None:
    assert line(1, text).level() == level


def test_a_json_line_has_fields_and_others_have_none() -> None:
    nested = line(1, '{"a": {"b": 1}, "c": "x", "d": []}')
    assert nested.fields() == {"a.b": 1, "c": "x", "d": []}
    for text in ("{", "[1]", "{not json}", "text", "[" * 5000):
        assert line(1, text).fields() is None


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("user.id=7", True),
        ("user.id!=7", False),
        ("user.id>6", True),
        ("user.id<6", False),
        ("msg~BROK", True),
        ("other!=1", True),
        ("other=1", False),
        ("ok=true", True),
    ],
)
def test_fields_are_compared(condition: str, found: bool) -> None:
    data = line(1, json.dumps({"user": {"id": 7}, "msg": "broken", "ok": True}))
    assert read_filter({}, [condition]).matches(data) is found
    assert not read_filter({}, [condition]).matches(line(1, "no json"))


@pytest.mark.parametrize(
    "query", [{"q": "(", "regex": "1"}, {"level": "loud"}, {"since": "yesterday"}, {"q": "x" * 2000}]
)
def test_a_wrong_filter_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        read_filter(query)


def test_only_colours_reach_the_page_and_long_lines_are_cut() -> None:
    (shown,) = lines_of(
        "web", "p-web-1", "stdout", stamp(1) + b" \x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2J\r\n"
    )
    assert shown.to_json()["text"].startswith("\x1b[31mred\x1b[0m")
    assert "title" not in shown.to_json()["text"]
    long = line(1, "x" * 100_000)
    assert (len(long.to_json()["text"]), long.to_json()["cut"]) == (16384, True)
    assert len(long.to_json(whole=True)["text"]) == 100_000


@pytest.mark.parametrize("level", LEVELS[1:])
@pytest.mark.parametrize(
    "text",
    ["ERROR x", "warn: x", '{"level":50}', '{"lvl" : 40}', "Traceback (most recent call last):", "INFO x"],
)
def test_a_level_is_found_in_packed_blocks(text: str, level: str) -> None:
    store = filled(_BLOCK)
    store.add([line(_BLOCK + 1, text), *(line(number, "plain") for number in range(_BLOCK + 2, 3 * _BLOCK))])
    wanted = read_filter({"level": level})
    found = [item.text.decode() for lines in store.newest_first(wanted) for item in lines]
    assert found == ([text] if wanted.matches(line(1, text)) else [])


_LINES = [
    "GET /items/17 status=503 in 12 ms",
    "\x1b[32mGET\x1b[0m /items/18 status=\x1b[31m504\x1b[0m",
    '{"msg": "slow", "user": {"id": 7}}',
    "  indented",
    "a+b (c) [d] {e}",
    "",
    "ends in a word",
    "größe é",
]


@pytest.mark.parametrize(
    "pattern",
    [
        "status=50[34]",
        "^GET",
        "ms$",
        r"\d{3}",
        "items?/1",
        "ite+ms",
        "^$",
        r"^\s+ind",
        "(GET|PUT) /items",
        "GET|slow",
        "(?i:get)",
        r"a\+b \(c\) \[d\] \{e\}",
        "word(?!s)",
        "(?<!x)ends",
        r"\Aends",
        r"word\Z",
        "größe",
        "[)(]c",
        "[]d]+",
        "[^]x]d",
        r"\x73tatus=503",
        "(?>slow)",
        "sta(tus=)?503",
        "st.*503",
        "w{0}ends",
        "x*slow",
        "GET /items/18",
        "status=504",
    ],
)
@pytest.mark.parametrize("case", ["", "1"])
def test_the_quick_look_at_a_block_misses_no_line(pattern: str, case: str) -> None:
    try:
        wanted = read_filter({"q": pattern, "regex": "1", "case": case})
    except UsageError:
        return
    for number, text in enumerate(_LINES):
        if wanted.matches(line(1, text)):
            around = [*_LINES[:number], text, *_LINES[number + 1 :]]
            assert wanted.may_match("\n".join(around).encode()), text


@pytest.mark.parametrize("text", ["status=504", "größe", "GET /items/18", "É"])
@pytest.mark.parametrize("case", ["", "1"])
def test_a_text_is_found_across_colours_in_a_packed_block(text: str, case: str) -> None:
    wanted = read_filter({"q": text, "case": case})
    store = Store()
    store.add([line(number + 1, text) for number, text in enumerate(_LINES)])
    store.add([line(number, "plain") for number in range(10, 2 * _BLOCK)])
    found = [item.text.decode() for lines in store.newest_first(wanted) for item in lines]
    assert found == [item for item in _LINES if wanted.matches(line(1, item))]


@pytest.mark.parametrize(
    ("pattern", "needle"),
    [
        ("status=5\\d\\d", "status=5"),
        ("^GET /items", "GET /items"),
        ("(GET) /it", " /it"),
        ("ab?cd", "cd"),
        ("ab+cd", "ab"),
        ("ab{2}c", ""),
        ("one|two", ""),
        ("(?x) a b c", ""),
        ("[abc]xyz", "xyz"),
        ("[]abc]xyz", "xyz"),
        (r"1\.2\.3", "1.2.3"),
        (r"\x41bc", "bc"),
    ],
)
def test_a_text_that_every_match_has_is_read_from_an_expression(pattern: str, needle: str) -> None:
    assert needle_of(pattern) == needle


def test_a_condition_finds_members_in_packed_blocks() -> None:
    store = Store()
    store.add([line(number, f'{{"user": {{"id": {number}}}}}') for number in range(1, 2 * _BLOCK)])
    store.add([line(number, "plain") for number in range(2 * _BLOCK, 4 * _BLOCK)])
    for condition, count in (("user.id=7", 1), ("user.id!=7", 2 * _BLOCK - 2), ("other=7", 0)):
        wanted = read_filter({}, [condition])
        assert sum(len(lines) for lines in store.newest_first(wanted)) == count, condition
