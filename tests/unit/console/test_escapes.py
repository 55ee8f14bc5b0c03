from invoke_devstack.console.escapes import clean_event, clean_text, neutralise
from invoke_devstack.events import Notice, Table


def test_a_block_without_suspects_is_the_very_same_object() -> None:
    block = "grüße\tvon\nmir\n".encode()
    assert neutralise(block, keep_colours=True) is block


def test_colours_may_pass_and_end_with_their_line() -> None:
    assert neutralise(b"\x1b[31mred\nplain\n", keep_colours=True) == b"\x1b[31mred\x1b[0m\nplain\x1b[0m\n"


def test_without_colours_a_container_has_none_either() -> None:
    assert neutralise(b"\x1b[31mred\x1b[0m\n", keep_colours=False) == b"red\n"


def test_the_clipboard_cannot_be_written() -> None:
    assert neutralise(b"a\x1b]52;c;cm0gLXJm\x07b\n", keep_colours=True) == b"ab\n"
    assert neutralise(b"a\x1b]52;c;cm0gLXJm\x1b\\b\n", keep_colours=True) == b"ab\n"


def test_a_title_that_never_ends_takes_no_line_with_it() -> None:
    assert neutralise(b"a\x1b]0;title\nnext\n", keep_colours=True) == b"a0;title\nnext\n"


def test_the_cursor_stays_where_it_is() -> None:
    assert neutralise(b"a\x1b[2A\x1b[2Jb\x1bcc\n", keep_colours=True) == b"abc\n"


def test_eight_bit_controls_are_taken_out_and_letters_stay() -> None:
    assert neutralise("a\x9b2Jbâé\n".encode(), keep_colours=True) == "abâé\n".encode()


def test_a_carriage_return_cannot_hide_the_prefix() -> None:
    assert neutralise(b"real\rfake\r\n", keep_colours=True) == b"realfake\r\n"


def test_names_lose_every_escape() -> None:
    assert clean_text("we\x1b[31mb\x07\u202e\n") == "web\n"


def test_texts_deep_in_an_event_are_cleaned() -> None:
    table = Table(title="t", columns=("a",), rows=({"a": ["x\x1b[2J"], "b\x07": 1},))
    assert clean_event(table).rows == ({"a": ["x"], "b": 1},)
    assert clean_event(Notice(text="hi\x1b]0;x\x07")).text == "hi"
