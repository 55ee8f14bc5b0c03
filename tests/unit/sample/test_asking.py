from __future__ import annotations

import errno
import socket
import threading
import time

import pymysql
import pytest
from app.asking import GIVE_UP_AFTER, NO_ANSWER, Question, in_plain_words
from app.config import Settings


def test_a_question_gives_up_in_time_and_leaves_the_asker_free() -> None:
    release = threading.Event()
    began = time.monotonic()
    answer = Question(release.wait).answer()
    release.set()
    assert GIVE_UP_AFTER <= time.monotonic() - began < GIVE_UP_AFTER + 20
    assert not answer.here
    assert answer.trouble == NO_ANSWER


def test_an_answer_carries_the_value() -> None:
    answer = Question(lambda: 42).answer()
    assert answer.here
    assert answer.value == 42


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its name is not known"),
        (TimeoutError("timed out"), "did not answer in time"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "it refuses connections"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "it cannot be reached"),
        (pymysql.OperationalError(1045, "Access denied for user"), "Access denied for user"),
    ],
)
def test_trouble_is_told_in_plain_words(error: Exception, words: str) -> None:
    assert words in in_plain_words(error)


def test_the_cause_of_an_error_is_looked_for_behind_it() -> None:
    try:
        try:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")
        except OSError as refused:
            raise RuntimeError("cannot connect") from refused
    except RuntimeError as error:
        assert in_plain_words(error).startswith("it refuses connections")


def test_settings_come_from_the_environment_alone() -> None:
    settings = Settings.from_environ({"REDIS_HOST": "cache", "MYSQL_PORT": "3307", "FLASK_DEBUG": "1"})
    assert (settings.redis_host, settings.redis_port) == ("cache", 6379)
    assert (settings.mysql_host, settings.mysql_port) == ("mysql", 3307)
    assert settings.debug
    assert not Settings.from_environ({}).debug
