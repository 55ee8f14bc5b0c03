"""Which values are learned, and where they are masked."""

from __future__ import annotations

import base64
import html
import json
import shlex
import subprocess
import threading
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from invoke.context import Context
from invoke.exceptions import Exit

from invoke_devstack import stack
from invoke_devstack.planning.explaining.script import Variables
from invoke_devstack.secrets import MASK, SecretValues

SECRET = "s3cr3t+$x'y/\"z&w"


def knowing(*data: object, spare: tuple[str, ...] = ()) -> SecretValues:
    values = SecretValues()
    values.spare(spare)
    for item in data:
        values.learn(item)
    return values


@pytest.mark.parametrize(
    "data",
    [
        {"DB_PASSWORD": "hunter-2"},
        {"token": "hunter-2"},
        {"labels": {"com.example.token": "hunter-2"}},
        ["DB_PASSWORD=hunter-2"],
        ["redis-server", "--requirepass", "hunter-2"],
        ["tool", "--token=hunter-2"],
        "redis-server --requirepass hunter-2 --port 1",
        "redis-cli -h x -a hunter-2 ping",
        "mysqladmin ping -u root -phunter-2 -h x",
        "PGPASSWORD='hunter-2' psql",
        'ARG NPM_TOKEN="hunter-2"',
        '{"user": "x", "password": "hunter-2"}',
        "user: x\npassword: hunter-2\n",
        "mysql://app:hunter-2@db:3306/app",
        {"URL": "redis://:hunter-2@cache"},
        "https://host/x?access_token=hunter-2&page=1",
        {"o": "username=u,password=hunter-2,vers=3"},
        {"x-thing": {"deep": [{"secret": "hunter-2"}]}},
        {"tokens": ["other-value", "hunter-2"]},
        "curl -sf -u app:hunter-2 http://localhost/health",
        "curl --user 'app:hunter-2' http://localhost/health",
        "curl -H 'Authorization: Bearer hunter-2' http://localhost/health",
        "CREATE USER app IDENTIFIED BY 'hunter-2';",
        "ALTER ROLE app WITH PASSWORD 'hunter-2';",
    ],
)
def test_a_value_is_learned_by_the_name_or_the_place_where_it_stands(data: object) -> None:
    assert knowing(data).hide("say hunter-2 or xhunter-2y") == f"say {MASK} or x{MASK}y"


@pytest.mark.parametrize(
    "data",
    [
        {"traefik.http.routers.auth.rule": "Host(`auth.localhost`)"},
        {"PWD": "/home/somebody/project"},
        {"SSH_AUTH_SOCK": "/run/user/1000/agent"},
        {"PASSWORD_FILE": "/run/secrets/password"},
        {"DB_PASSWORD": "${DB_PASSWORD}"},
        {"DB_PASSWORD": "${A:-${B}}", "API_TOKEN": "$API_TOKEN", "AUTH_KEY": "$$AUTH_KEY"},
        {"API_TOKEN": "<your token>", "API_KEY": "$(cat key)"},
        "mysqladmin ping -p$pw --password=$db_password",
        {"AUTH_URL": "http://auth.localhost:8080/login"},
        "auth:8080 secret:/data the token is unexpected",
    ],
)
def test_what_is_no_secret_stays_readable(data: object) -> None:
    text = json.dumps(data) if not isinstance(data, str) else data
    assert knowing(data).hide(text.replace(": ", " ")) == text.replace(": ", " ")


@pytest.mark.parametrize(
    "value",
    ["$2y$05$N8GzVb/abc.XYZ", "$argon2id$v=19$m=65536$c29tZXNhbHQ", "$ecret12", "<Xy12&z9", "{SSHA}a1b2"],
)
def test_a_value_that_starts_as_a_reference_does_is_a_secret(value: str) -> None:
    assert knowing({"ADMIN_PASSWORD": value}).hide(f"say {value}!") == f"say {MASK}!"
    assert knowing(["tool", "--password", value]).hide(f"say {value}!") == f"say {MASK}!"


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        shlex.quote(SECRET),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        SECRET.replace("$", "$$"),
        repr(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        quote(SECRET, safe="").lower(),
        html.escape(SECRET),
        SECRET.replace("'", "''"),
        SECRET.replace("'", "'\\''"),
        SECRET.replace('"', '\\"').replace("$", "\\$"),
    ],
)
def test_a_secret_is_found_however_it_is_spelled(spelled: str) -> None:
    hidden = knowing({"TOKEN": SECRET}).hide(f"a {spelled} b")
    assert MASK in hidden
    assert "cr3t" not in hidden
    assert "czNj" not in hidden


@pytest.mark.parametrize("spelled", ["p@ss/url1", "p%40ss%2Furl1", "p%40ss%2furl1"])
def test_the_password_of_a_url_is_found_as_the_program_says_it(spelled: str) -> None:
    values = knowing({"DATABASE_URL": "mysql://user:p%40ss%2Furl1@db/x"})
    assert values.hide(f"access denied with {spelled}") == f"access denied with {MASK}"


def test_a_long_secret_that_was_cut_off_is_masked_as_far_as_it_goes() -> None:
    secret = "".join(f"{number:04x}" for number in range(100))
    assert knowing({"TOKEN": secret}).hide(f"x {secret[:60]}…") == f"x {MASK}…"


def test_a_secret_of_several_lines_is_masked_line_by_line() -> None:
    key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEAabcdefghij\nklmnopqrstuvwxyz0123456789\n-----END KEY-----"
    values = SecretValues()
    values.add(key)
    assert values.hide("MIIEowIBAAKCAQEAabcdefghij") == MASK
    assert values.hide(" ".join(key.split())) == MASK


@pytest.mark.parametrize("value", ["root", "dev", "8080", "true", "postgres", "shop", "web2"])
def test_a_short_or_common_value_is_masked_only_as_a_value(value: str) -> None:
    values = knowing({"DB_PASSWORD": value}, spare=("shop", "web2"))
    plain = f"{value} is up; the user {value} on {value}:80, {value}/{value} and user={value}"
    assert values.hide(plain) == plain
    for text in (
        "DB_PASSWORD={}",
        "DB_PASSWORD: {}",
        '"DB_PASSWORD": "{}"',
        "--password={} x",
        "--password {}",
        "-p{} x",
        "mysql://u:{}@h/x",
        "u:{}@tcp(db:3306)/x",
        "redis-cli -h cache -a {} ping",
        "curl -u u:{} http://h",
        "Authorization: Bearer {}",
        "CREATE USER u IDENTIFIED BY '{}'",
    ):
        assert values.hide(text.format(value)) == text.format(MASK)
    assert values.hide_in({"token": value, "user": value}) == {"token": MASK, "user": value}


def test_passwords_in_addresses_are_masked_unknown_ones_too() -> None:
    values = SecretValues()
    assert values.hide("at http://u:p@h/, http://h:80/a@b") == f"at http://u:{MASK}@h/, http://h:80/a@b"
    assert values.hide("https://ghp_0123456789abcdef@github.com/x") == f"https://{MASK}@github.com/x"


def test_what_is_learned_later_is_learned_before_the_next_text() -> None:
    values = SecretValues()
    values.learn_later(lambda those: those.add("hunter-2"))
    assert values.hide("hunter-2") == MASK


@given(st.text(max_size=60), st.text(min_size=6, max_size=20))
@example("\\'", "a'b'cd\\")
def test_a_shell_reads_the_same_words_from_a_script_whose_secrets_are_variables(
    text: str, secret: str
) -> None:
    secret = "".join(character for character in f"k{secret}9" if character.isprintable())
    text = "".join(character for character in text if character.isprintable())
    word = f"{text}{secret}{text}"
    variables = Variables(knowing({"TOKEN": secret}))
    command = variables.put_into(f"printf %s {shlex.quote(word)}")
    given_ = "".join(f"{name}={shlex.quote(value)}; " for name, value in variables.values())
    done = subprocess.run(["sh", "-c", f"{given_}{command}"], capture_output=True, check=True)
    assert done.stdout.decode() == word


@pytest.mark.parametrize("kept", [3, 5, 8])
def test_the_start_of_a_secret_where_a_text_was_cut_off_is_masked(kept: int) -> None:
    assert knowing({"TOKEN": "hunter-2"}).hide(f"a {'hunter-2'[:kept]}…; b…") == f"a {MASK}…; b…"


FILES = {
    ".env": "API_TOKEN=s3cr3tAA\nPLAIN=s3cr3tBB\n",
    "compose.yaml": "services:\n  web:\n    image: x\n    environment: {DB_PASSWORD: s3cr3tCC}\n",
}


@pytest.mark.parametrize(
    ("files", "typed"),
    [
        ({".env": "API_TOKEN=s3cr3tAA\ns3cr3t/DD==\n"}, ""),
        ({".env": "API TOKEN=s3cr3tAA\n"}, ""),
        ({".env": 'API_TOKEN="s3cr3tAA\n'}, ""),
        ({".env": "API_TOKEN=s3cr3tAA${x:\n"}, ""),
        ({"compose.yaml": "services: {web: {image: x, ports: ['${API_TOKEN}']}}"}, ""),
        ({"compose.yaml": "services: {web: {image: '${NOPE:?needs ${API_TOKEN}}'}}"}, ""),
        ({"compose.yaml": 'services:\n  web:\n    environment:\n      DB_PASSWORD: "s3cr3tCC${"\n'}, ""),
        ({"compose.yaml": "services:\n  web:\n    environment: 'DB_PASSWORD=s3cr3tCC'\n    x: [\n"}, ""),
        ({"compose.yaml": "services:\n  web:\n    environment: 'DB_PASSWORD=s3cr3tCC'\n"}, ""),
        (
            {"compose.yaml": "services: {web: {environment: {URL: 'http://u:s3cr3tEE@h', A: [1]}}}"},
            "",
        ),
        ({"compose.yaml": "name: 's3cr3tAA ${API_TOKEN}${'\nservices: {}"}, ""),
        ({}, "s3cr3tFF"),
    ],
)
def test_an_error_of_the_files_quotes_no_secret(
    files: dict[str, str],
    typed: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {**FILES, **files}.items():
        (tmp_path / name).write_text(text)
    task = stack(tmp_path)["config"]
    explain = f"TOKEN={typed}" if typed else ""
    with pytest.raises(Exit):
        task(Context(), explain=explain)
    printed = "".join(capsys.readouterr())
    assert "error: " in printed
    assert "s3cr3t" not in printed


def test_threads_that_hide_while_others_add_miss_nothing() -> None:
    values = SecretValues()
    faults: list[str] = []

    def work(own: int) -> None:
        try:
            for number in range(60):
                secret = f"S3cret-{own}-{number}-value"
                values.add(secret, "API_TOKEN")
                faults.extend([secret] if secret in values.hide(f"x {secret}") else [])
                values.hide(f"short {own} {number}")
        except Exception as error:
            faults.append(repr(error))

    threads = [threading.Thread(target=work, args=(own,)) for own in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
