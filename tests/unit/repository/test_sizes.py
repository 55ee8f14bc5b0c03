"""The size that docs/contributing/index.md allows a file."""

from __future__ import annotations

import subprocess

from tools.release import ROOT

LINES = 400


def test_no_python_file_is_longer_than_its_limit() -> None:
    words = ["git", "ls-files", "-z", "*.py"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in files if file.exists()}
    assert {str(file): length for file, length in lengths.items() if length > LINES} == {}
    assert len(lengths) > 100
