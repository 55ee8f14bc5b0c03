"""The commands of Docker Compose that its users type most, as data: each with what comes of it here.

Chosen by hand from Compose's documentation, from READMEs and from CI files; the order is that of a day.
`tests/functional/console/test_habits.py` types each one, `tools/habits_page.py` makes the page of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

UP: Mapping[str, str] = {"web": "running", "db": "running"}
"""The state from which each one is typed, unless it says another."""

STACK = """
    services:
      web:
        build: .
        init: true
        command: [sh, -c, "echo web speaks; exec httpd -f -p 80 -h /tmp"]
        ports: ["127.0.0.1::80"]
        depends_on: [db]
        develop: {watch: [{path: ./src, action: sync, target: /src}]}
      db:
        image: IMAGE
        init: true
        command: [sh, -c, "echo db speaks; exec sleep 600"]
        volumes: ["data:/data"]
      tool: {image: IMAGE, init: true, command: sleep 600, profiles: [debug]}
      tests: {image: IMAGE, command: [sh, -c, "echo tested; exit 3"], profiles: [ci]}
    volumes: {data: {}}
"""


@dataclass(frozen=True)
class Typed:
    """`words` follow `docker compose` there and `invoke` here. `outcome` says on the page what comes of it.
    `before` is the state of services that it needs, `after` the one that it leaves (None: the same). `says`
    must be in what it prints, on stdout or stderr, `hides` must not. `until` is a line after which Ctrl-C
    ends it. `differs`: what Compose does otherwise."""

    words: str
    outcome: str
    code: int = 0
    before: Mapping[str, str] = field(default_factory=lambda: UP)
    after: Mapping[str, str] | None = None
    says: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    until: str = ""
    differs: str = ""


DOWN: Mapping[str, str] = {}
CREATED: Mapping[str, str] = {"web": "created", "db": "created"}
STOPPED: Mapping[str, str] = {"web": "exited", "db": "running"}
TESTED: Mapping[str, str] = {**UP, "tests": "exited"}
DEBUGGED: Mapping[str, str] = {**UP, "tool": "running"}

TYPED: tuple[Typed, ...] = (
    Typed("create", "creates the containers and starts nothing", before=DOWN, after=CREATED),
    Typed(
        "up -d",
        "starts everything",
        before=CREATED,
        after=UP,
        says=("is up: 2 services",),
        differs="waits until it is ready",
    ),
    Typed(
        "up",
        "starts everything and, on a terminal, stays with the logs",
        says=("is already up",),
        differs="elsewhere it returns",
    ),
    Typed("up --build", "builds first", says=("built",)),
    Typed("up -d --build web", "builds and starts one service", says=("built",)),
    Typed("up -d --force-recreate web", "recreates its container", says=("--force-recreate",)),
    Typed("up -d --no-deps web", "starts it without what it depends on", says=("running already",)),
    Typed("up -d --wait", "the same as `up -d`, which always waits", says=("already up",)),
    Typed(
        "up -d --remove-orphans",
        "also removes containers of services that are no longer in the files",
        says=("already up",),
    ),
    Typed("up -d --scale db=2", "runs two containers of it", says=("scale 1 -> 2",)),
    Typed("scale db=1", "runs one container of it", says=("stopped",)),
    Typed(
        "up --exit-code-from tests tests",
        "stops all that it started once a container exits, with the exit code of `tests`",
        code=3,
        after=TESTED,
    ),
    Typed(
        "up --abort-on-container-exit tests",
        "stops all that it started once a container exits",
        code=3,
        before=TESTED,
        after=TESTED,
    ),
    Typed("rm -f tests", "removes stopped containers without a question", before=TESTED, after=UP),
    Typed("--profile debug up -d", "also starts the services of a profile", after=DEBUGGED),
    Typed("rm -fsv tool", "stops and removes, with anonymous volumes", before=DEBUGGED, after=UP),
    Typed(
        "-f compose.yaml -f other.yaml up -d",
        "refused: `-f` before a task is Invoke's own; the hint has the right form",
        code=2,
        says=("`invoke up --file compose.yaml --file other.yaml -d`",),
    ),
    Typed("--file compose.yaml --file other.yaml config --services", "reads these files", says=("extra",)),
    Typed(
        "-p shop ps",
        "refused: `-p` before a task is Invoke's own; the hint has the right form",
        code=2,
        says=("`invoke ps --project-name shop`",),
    ),
    Typed("--env-file .env.test config", "reads variables from this file", says=("services:",)),
    Typed("--dry-run up", "prints the plan, and does nothing", says=("nothing to do",)),
    Typed("ps", "lists running containers", says=("web", "db", "running")),
    Typed("ps -a", "lists all containers", says=("EXIT CODE",)),
    Typed("ps -q", "prints only their ids", hides=("SERVICE",)),
    Typed("ps --services", "prints only the services", says=("web\n",), hides=("SERVICE",)),
    Typed(
        "ps --format json",
        "prints JSON",
        says=('"service": "web"',),
        differs="one array, not an object on each line",
    ),
    Typed("logs", "prints the logs of all services", says=("web speaks", "db speaks")),
    Typed("logs web", "prints the logs of one service", says=("web speaks",), hides=("db speaks",)),
    Typed("logs -f web", "follows them until Ctrl-C", until="web speaks", code=130),
    Typed("logs --since 10m -t db", "prints new lines, with their times", says=("db speaks", "Z ")),
    Typed("logs --no-log-prefix --no-color web", "prints bare lines", says=("web speaks",), hides=("|",)),
    Typed("top", "lists processes", says=("httpd",)),
    Typed("stats --no-stream", "prints what containers use", says=("CPU",)),
    Typed("images", "lists the images of the services", says=("web",)),
    Typed("port web 80", "prints the address of a published port", says=("127.0.0.1:",)),
    Typed("ls", "lists all stacks of the engine", says=("STACK",)),
    Typed("config", "prints the merged files", says=("services:",)),
    Typed("volumes", "lists the volumes of the stack, with sizes and who uses them", says=("_data",)),
    Typed("config -q", "only checks the files", hides=("services",)),
    Typed("config --services", "prints the names of the services", says=("web",)),
    Typed("version", "prints versions", says=("invoke-devstack",)),
    Typed("exec web sh -c 'echo $0 in $HOME'", "runs a command in the container", says=("sh in /",)),
    Typed("exec -it web echo hello", "with a terminal, if there is one", says=("hello",)),
    Typed("exec -T db cat", "without a terminal, for pipes"),
    Typed(
        "exec -u 0 -e A=1 -w /tmp web sh -c 'echo $A; pwd'",
        "as a user, with a variable, in a directory",
        says=("1\n/tmp",),
    ),
    Typed("run --rm web echo one-off", "runs a command in a new container", says=("one-off",)),
    Typed("cp web:/etc/hosts hosts.txt", "copies a file out of the container", says=("Copied",)),
    Typed("cp other.yaml web:/tmp/", "copies a file into it", says=("Copied",)),
    Typed("export -o web.tar web", "writes the file system of the container to a file"),
    Typed("commit web t-habits:1", "makes an image of the container", says=("made an image",)),
    Typed("restart web", "restarts a service", says=("restarted",), differs="waits until it is ready"),
    Typed("stop web", "stops a service", after=STOPPED),
    Typed("start web", "starts it again", before=STOPPED, after=UP, differs="waits until it is ready"),
    Typed("kill -s HUP web", "sends a signal", says=("SIGHUP",)),
    Typed("build", "builds the images", says=("built",)),
    Typed("build --no-cache web", "builds without the cache", says=("built",)),
    Typed("watch", "syncs and rebuilds on changes until Ctrl-C", until="watching", code=130),
    Typed("down", "stops and removes containers and networks; data stays", after=DOWN, says=("kept:",)),
    Typed(
        "down -v",
        "also deletes volumes, if a person says yes",
        code=2,
        says=("--yes",),
        differs="asks first; `--yes` answers",
    ),
    Typed(
        "down -v --yes --rmi local --remove-orphans -t 1",
        "deletes volumes and built images too",
        after=DOWN,
        says=("deleted:", "removed image"),
    ),
)
