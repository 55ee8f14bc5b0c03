import io

from invoke_devstack.console import choose
from invoke_devstack.console.event_views import fold
from invoke_devstack.events import WatchFailed


def test_lines_break_between_words() -> None:
    assert fold("one two three four", 9, "  ") == "one two\n  three\n  four"


def test_a_word_that_is_too_long_stays_whole() -> None:
    assert fold("see /a/very/long/path now", 8) == "see\n/a/very/long/path\nnow"


def test_styles_take_no_room() -> None:
    assert fold("\x1b[1mhint:\x1b[0m do it", 11) == "\x1b[1mhint:\x1b[0m do it"


def test_a_short_text_is_as_it_was() -> None:
    assert fold("a  b ", 80) == "a  b "


def test_a_problem_of_the_compose_files_is_called_an_error() -> None:
    out = io.TextIOWrapper(written := io.BytesIO(), encoding="utf-8")
    console = choose(out=out, err=out)
    console.emit(WatchFailed(service="", error="invalid YAML", hint="Check it."))
    console.emit(WatchFailed(service="web", error="web exited with code 3"))
    console.close()
    out.flush()
    shown = written.getvalue().decode()
    assert "error: invalid YAML\nhint: Check it." in shown
    assert "web  web exited with code 3" in shown
