"""The log of a build by either builder: its steps, its cache hits, and why it failed. The words of builders
are read here: they give no codes."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from invoke_devstack.engine.images.references import Reference
from invoke_devstack.engine.images.transfers import transfer_failure
from invoke_devstack.engine.protocol import BuildResult, OnProgress, Progress
from invoke_devstack.errors import BuildError

LAST_LINES = 20
_ENDED = re.compile(r"returned a non-zero code: (?P<classic>\d+)|exit code: (?P<buildkit>\d+)")
_NOT_THERE = re.compile(
    r"(COPY|ADD) failed: .*(no such file|no source files|not found|file does not exist)"
    r"|failed to (compute cache key|calculate checksum).*not found|^\"[^\"]*\":? not found",
    re.DOTALL,
)
_BAD_FILE = re.compile(r"dockerfile parse error (?:on )?line (?P<line>\d+): (?P<what>.*)", re.IGNORECASE)
_WRAPPING = re.compile(
    r"^(?:ERROR: |failed to build: |failed to solve(?: with frontend \S+)?: |rpc error: code = \w+ desc = "
    r"|failed to create LLB definition: )+"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_UNRESOLVED = re.compile(
    r"temporary failure (in name resolution|resolving)|could not resolve (host|proxy)?|EAI_AGAIN|ENOTFOUND"
    r"|name or service not known|bad address '|no such host|NameResolutionError|Name does not resolve",
    re.IGNORECASE,
)
_PROXY = re.compile(
    r"\b407\b.{0,40}proxy|proxy authentication required|proxyerror|(tunnel|connect) (to|through) proxy"
    r"|cannot connect to proxy|could not resolve proxy|proxy connect aborted",
    re.IGNORECASE,
)
_METADATA = re.compile(r"(?:load metadata for|resolve image config for) (?:docker-image://)?(?P<image>\S+)")
_UNREACHED = re.compile(
    r"dial tcp|pull access denied|manifest unknown|toomanyrequests|x509|unauthorized|not found|EOF|timeout"
    r"|pulling from host \S+ failed|stopped after \d+ redirects"
)


@dataclass(slots=True)
class Step:
    """One instruction of a Dockerfile in a build. `place` is its number, such as `3/7`."""

    place: str
    instruction: str
    cached: bool = False
    output: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))

    @property
    def is_base(self) -> bool:
        """Whether it is a FROM, which runs nothing."""
        return self.instruction.upper().startswith("FROM ")


class BuildLog:
    """Collects a build's steps and reports progress. Keys are the builder's own names for steps."""

    def __init__(self, tag: str, on_progress: OnProgress) -> None:
        self._tag = tag
        self._on_progress = on_progress
        self._steps: dict[str, Step] = {}
        self._begun: dict[str, int] = {}  # step -> how many had begun with it
        self._total = 0
        self._last = ""
        self._failed = ("", "", "")

    def plan(self, key: str, place: str, instruction: str) -> None:
        """A step that has not begun."""
        self._steps.setdefault(key, Step(place, instruction))

    def begin(self, key: str) -> None:
        self._last = key
        self.tell(key, self._steps[key].instruction)

    def cached(self, key: str) -> None:
        step = self._steps[key]
        if not step.cached:
            step.cached = True
            self.tell(key, f"{step.instruction} (cached)")

    def output(self, key: str, text: str) -> None:
        for line in filter(None, map(str.rstrip, _COLOURS.sub("", text).splitlines())):
            self._steps[key].output.append(line)
            self.tell(key, line)

    def fail(self, key: str, message: str, name: str) -> None:
        """`name` is the builder's name for what failed: a step, or work of its own."""
        self._failed = (key, message, name)

    def tell(self, key: str, text: str) -> None:
        """Reports progress; `item` is the step's place, if it has one."""
        step = self._steps.get(key)
        if step is None:
            self._on_progress(Progress(key, text))
            return
        self._begun.setdefault(key, len(self._begun) + 1)
        self._on_progress(Progress(f"step {step.place}", text, self._begun[key], self._size, "steps"))

    def expect(self, total: int) -> None:
        """Sets the number of steps, if the builder announces them one by one."""
        self._total = total

    def result(self, image: str, builder: str) -> BuildResult:
        cached = sum(step.cached for step in self._steps.values())
        ran = (step.place for step in self._steps.values() if not (step.cached or step.is_base))
        return BuildResult(image, cached, self._size, builder, tuple(ran))

    def failure(self, message: str) -> BuildError:
        """`message` is the builder's last message; that of the failed step is preferred."""
        key, own, name = self._failed
        return build_failure(self._tag, own or message, self._steps.get(key), name)

    def failure_in_last_step(self, message: str) -> BuildError:
        return build_failure(self._tag, message, self._steps.get(self._last))

    @property
    def _size(self) -> int:
        return max(self._total, len(self._steps))


def build_failure(tag: str, message: str, step: Step | None = None, name: str = "") -> BuildError:
    """Why a build failed. `message` is the builder's, about what it calls `name`."""
    message = _WRAPPING.sub("", message.strip())
    where = f"the build of {tag} failed"
    if step:
        where += f" at step {step.place}: `{_short(step.instruction)}`"
    base = _base_image(step.instruction if step else "", name, message)
    if base:
        failed = transfer_failure(Reference.parse(base), message, verb="pulled")
        return BuildError(f"{where}: {failed.message}", hint=failed.hint, details=failed.details, image=base)
    ended = _ENDED.search(message)
    if ended:
        code = int(ended["classic"] or ended["buildkit"])
        output = _output(step)
        hint = _network_hint("\n".join(output)) or _hint_for(code)
        return BuildError(f"{where} exited with code {code}", hint=hint, details=output)
    if step and _NOT_THERE.search(message):
        return BuildError(
            f"{where} copies a file that is not in the build context",
            hint="Check the path, which is relative to `build.context`, and .dockerignore.",
            details=(message,),
        )
    if "unsupported frontend capability moby.buildkit.frontend.contexts" in message:
        return BuildError(
            f"{where}: `build.additional_contexts` needs a newer BuildKit than this engine's",
            hint="Put `# syntax=docker/dockerfile:1` at the top of the Dockerfile, or use Docker Engine 23.",
        )
    wrong = _BAD_FILE.search(message)
    if wrong:
        return BuildError(f"{where}: line {wrong['line']} of the Dockerfile: {wrong['what']}")
    return BuildError(f"{where}: {message}", details=_output(step))


def _base_image(instruction: str, name: str, message: str) -> str:
    """The image that could not be pulled, if that is what the message is about."""
    if not _UNREACHED.search(message):
        return ""
    named = _METADATA.search(name)
    if named:
        return named["image"].removeprefix("docker.io/").removeprefix("library/")
    base = re.match(r"FROM\s+(?:--\S+\s+)*(\S+)", instruction, re.IGNORECASE)
    return base[1] if base else ""


def _output(step: Step | None) -> tuple[str, ...]:
    return tuple(step.output) if step else ()


def _network_hint(output: str) -> str:
    """For a program that met no name server or a proxy: they say so in words alone."""
    if _PROXY.search(output):
        return (
            "The step met a proxy that did not let it through. Builds use the one in `proxies` of "
            "~/.docker/config.json: check its address and its password."
        )
    if _UNRESOLVED.search(output):
        return (
            "The step could not resolve a name. If this machine needs a proxy, put it into `proxies` of "
            "~/.docker/config.json: builds get it. Else give the engine a name server: `dns` in "
            "/etc/docker/daemon.json. Test it: `docker run --rm IMAGE getent hosts example.org`."
        )
    return ""


def _hint_for(code: int) -> str:
    if code == 127:
        return "The image has no such command: install it in an earlier step, or check its spelling."
    if code == 137:
        return "It probably ran out of memory: give the engine more, or build fewer images in parallel."
    return "The end of its output is above. Fix that step and build again: earlier steps are cached."


def _short(instruction: str) -> str:
    return instruction if len(instruction) <= 120 else f"{instruction[:119]}…"
