from __future__ import annotations

from invoke_devstack.dashboard.details.service import command_first


def test_what_a_process_is_stands_first() -> None:
    titles = ["UID", "PID", "C", "TIME", "CMD"]
    found = command_first(titles, [["root", "1", "0", "00:01", "python serve.py"]])
    assert found["columns"] == ["CMD", "UID", "PID", "C", "TIME"]
    assert found["rows"] == [["python serve.py", "root", "1", "0", "00:01"]]


def test_other_titles_stay_as_the_engine_has_them() -> None:
    assert command_first(["PID", "COMMAND"], [["1", "sh"]])["columns"] == ["COMMAND", "PID"]
    assert command_first(["PID", "ARGS"], []) == {"columns": ["PID", "ARGS"], "rows": []}
