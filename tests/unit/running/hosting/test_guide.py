"""What `docs/guides/debugging.md` shows can be used as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from invoke_devstack.definition import load
from invoke_devstack.definition.processes.process import Process
from invoke_devstack.running.hosting.prepare import read_host

ROOT = Path(__file__).parents[4]
GUIDE = (ROOT / "docs/guides/debugging.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def test_the_block_is_that_of_the_sample(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(f"name: guide\n{blocks('yaml')[0]}", encoding="utf-8")
    (tmp_path / "flask-sample").mkdir()
    shown = read_host(load(tmp_path, environment={}), "web")
    sample = read_host(load(ROOT, environment={}), "web")
    assert shown.working_dir == str(tmp_path / "flask-sample")
    assert without_folder(shown) == without_folder(sample)


def without_folder(process: Process) -> Process:
    return process.copy_with({"working_dir": ""})


def test_the_configurations_of_vs_code_are_json_with_files_that_exist() -> None:
    attach, launch = (json.loads(text)["configurations"][0] for text in blocks("json"))
    assert f"--listen {attach['connect']['host']}:{attach['connect']['port']} serve.py" in GUIDE
    program = launch["program"].replace("${workspaceFolder}", str(ROOT))
    assert Path(program).is_file()
    assert Path(launch["cwd"].replace("${workspaceFolder}", str(ROOT))).is_dir()
    assert f"--write {launch['envFile'].removeprefix('${workspaceFolder}/')}" in GUIDE


def test_every_key_of_the_block_is_explained() -> None:
    explained = set(re.findall(r"^\| (`.*?`(?:, `.*?`)*) \|", GUIDE, re.MULTILINE))
    names = {name for cell in explained for name in re.findall(r"`(\w+)`", cell)}
    assert set(Process.keys) <= names
