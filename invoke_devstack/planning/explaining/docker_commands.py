"""Every action as the `docker` command that does the same, with a sentence that explains it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from functools import singledispatch
from pathlib import PurePosixPath

from invoke_devstack.events import Explained
from invoke_devstack.planning import labels, plan
from invoke_devstack.planning.bodies.hashes import placeholder
from invoke_devstack.planning.explaining.create_flags import connect_flags, create_flags, later_networks
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.plan import COMPLETED, Action, BuildRequest, CreateContainer, InjectedFile
from invoke_devstack.secrets import MASK, masked

Spell = Callable[[str, str, str], str]
"""(service, variable, value) -> `NAME=value` as the command has it, quoted for a shell. For a secret file the
name is its path, and the result is its content alone."""

Step = tuple[str, str]
"""A command, and the sentence that explains it."""


def masked_variable(service: str, name: str, value: str) -> str:
    """As a person may see it."""
    return f"'{MASK}'" if name.startswith("/") else shlex.quote(f"{name}={masked(name, value)}")


def docker_commands(action: Action, spell: Spell = masked_variable) -> tuple[Explained, ...]:
    """The commands of one action. Commands that start with `#` are remarks on what `docker` cannot do."""
    return tuple(Explained(command=command, sentence=sentence) for command, sentence in _steps(action, spell))


@singledispatch
def _steps(action: Action, spell: Spell) -> Iterator[Step]:
    raise TypeError(f"no docker command for {action.kind}")


def _words(*words: str) -> str:
    return shlex.join(("docker", *words))


@_steps.register(plan.PullImage)
def _pull(action: plan.PullImage, spell: Spell) -> Iterator[Step]:
    platform = ["--platform", action.platform] if action.platform else []
    yield _words("pull", *platform, action.target), f"Downloads the image from its registry: {action.cause}."


@_steps.register(plan.PushImage)
def _push(action: plan.PushImage, spell: Spell) -> Iterator[Step]:
    yield _words("push", action.target), f"Uploads the image to its registry: {action.cause}."


@_steps.register(plan.PublishDefinition)
def _publish(action: plan.PublishDefinition, spell: Spell) -> Iterator[Step]:
    yield _words("compose", "publish", action.target), "Uploads the Compose files to the registry."


@_steps.register(plan.CommitContainer)
def _commit(action: plan.CommitContainer, spell: Spell) -> Iterator[Step]:
    words = [
        *(["--author", action.author] if action.author else []),
        *(["--message", action.message] if action.message else []),
        *(word for change in action.changes for word in ("--change", change)),
        *([] if action.pause else ["--pause=false"]),
    ]
    reference = [action.reference] if action.reference else []
    sentence = "Makes an image of the container as it is now, without its volumes."
    yield _words("commit", *words, action.target, *reference), sentence


@_steps.register(plan.RenameContainer)
def _rename(action: plan.RenameContainer, spell: Spell) -> Iterator[Step]:
    yield _words("rename", action.target, action.new_name), "Gives the new container its final name."


@_steps.register(plan.StartContainer)
def _start(action: plan.StartContainer, spell: Spell) -> Iterator[Step]:
    yield _words("start", action.target), f"Starts the container: {action.cause}."


@_steps.register(plan.StopContainer)
def _stop(action: plan.StopContainer, spell: Spell) -> Iterator[Step]:
    signal = action.signal or "its stop signal, usually SIGTERM"
    sentence = f"Sends {signal}, and SIGKILL if it has not exited after {action.grace:g} s."
    yield _words("stop", "-t", f"{action.grace:.0f}", action.name), sentence


@_steps.register(plan.RestartContainer)
def _restart(action: plan.RestartContainer, spell: Spell) -> Iterator[Step]:
    sentence = f"Stops it as `docker stop` does, within {action.grace:g} s, and starts it again."
    yield _words("restart", "-t", f"{action.grace:.0f}", action.name), sentence


@_steps.register(plan.RemoveContainer)
def _remove(action: plan.RemoveContainer, spell: Spell) -> Iterator[Step]:
    flags = [*(["--volumes"] if action.volumes else []), *(["--force"] if action.force else [])]
    also = " and its anonymous volumes" if action.volumes else ""
    yield _words("rm", *flags, action.name), f"Removes the container{also}: {action.cause}."


@_steps.register(plan.PauseContainer)
def _pause(action: plan.PauseContainer, spell: Spell) -> Iterator[Step]:
    yield _words("pause", action.target), "Freezes all processes of the container."


@_steps.register(plan.UnpauseContainer)
def _unpause(action: plan.UnpauseContainer, spell: Spell) -> Iterator[Step]:
    yield _words("unpause", action.target), "Resumes the container's processes."


@_steps.register(plan.KillContainer)
def _kill(action: plan.KillContainer, spell: Spell) -> Iterator[Step]:
    if action.signal in ("SIGKILL", "9"):
        sentence = "Ends it at once with SIGKILL, which no process can catch: nothing is saved first."
    else:
        sentence = f"Sends {action.signal} to its first process, which decides what to do."
    yield _words("kill", "--signal", action.signal, action.target), sentence


@_steps.register(plan.RemoveNetwork)
def _remove_network(action: plan.RemoveNetwork, spell: Spell) -> Iterator[Step]:
    yield _words("network", "rm", action.target), f"Removes the network: {action.cause}."


@_steps.register(plan.RemoveVolume)
def _remove_volume(action: plan.RemoveVolume, spell: Spell) -> Iterator[Step]:
    yield _words("volume", "rm", action.target), "Removes the volume and its data."


@_steps.register(plan.RemoveImage)
def _remove_image(action: plan.RemoveImage, spell: Spell) -> Iterator[Step]:
    force = ["--force"] if action.force else []
    yield _words("image", "rm", *force, action.target), f"Removes the image: {action.cause}."


@_steps.register(plan.RunHook)
def _hook(action: plan.RunHook, spell: Spell) -> Iterator[Step]:
    yield (
        f"# the hook `{action.target}` in tasks.py",
        "Runs a function in tasks.py, which no docker command can do.",
    )


@_steps.register(CreateContainer)
def _create(action: CreateContainer, spell: Spell) -> Iterator[Step]:
    flags = create_flags(action.body)
    secret = _has_secrets(flags.environment)
    hash_left_out = secret and action.late and action.late.containers
    for remark in (*flags.remarks, *((_HASH_LEFT_OUT,) if hash_left_out else ())):
        yield f"# {remark}", "What the command line cannot express."
    platform = ["--platform", action.platform] if action.platform else []
    parts = [
        _words("create", "--name", action.target, *platform, *flags.words),
        *(f"--env {_variable(action.service, variable, spell)}" for variable in flags.environment),
        *_labels(action, flags.labels, secret=secret),
        shlex.join((str(action.body["Image"]), *flags.arguments)),
    ]
    yield " ".join(parts), f"Creates the container of {action.service}, without starting it: {action.cause}."
    networks = {**later_networks(action.body), **action.more_networks}
    for name, endpoint in networks.items():
        yield (
            _words("network", "connect", *connect_flags(endpoint), name, action.target),
            "Connects it to one more network.",
        )
    for file in action.files:
        yield _inject(action, file, spell), f"Writes {file.path} into the container."


_HASH_LEFT_OUT = (
    "the config hash is left out, because secrets are part of it; `invoke up` will recreate this container"
)


def _variable(service: str, variable: str, spell: Spell) -> str:
    name, equals, value = variable.partition("=")
    return spell(service, name, value) if equals else shlex.quote(name)


def _has_secrets(environment: tuple[str, ...]) -> bool:
    pairs = (variable.partition("=") for variable in environment)
    return any(masked(name, value) != value for name, _, value in pairs)


def _labels(action: CreateContainer, own: Mapping[str, str], *, secret: bool) -> Iterator[str]:
    """Labels; ids that are known only when the command runs are looked up in it. `secret`: the config hash
    is made from secrets."""
    late = action.late
    for name, value in own.items():
        if name == labels.CONFIG_HASH and late and late.containers and not secret:
            yield f'--label "{name}=$({_late_hash(late.hash_input, late.containers)})"'
        else:
            yield f"--label {shlex.quote(f'{name}={value}')}"
    if late and late.image:
        inspect = f"docker image inspect --format '{{{{.Id}}}}' {shlex.quote(late.image)}"
        yield f'--label "{labels.IMAGE}=$({inspect})"'


def _late_hash(text: str, containers: tuple[str, ...]) -> str:
    """A command that inserts the containers' ids into the text and hashes it."""
    edits = " ".join(
        f"-e \"s/{placeholder(name)}/$(docker inspect --format '{{{{.Id}}}}' {name})/g\""
        for name in containers
    )
    return f"printf %s {shlex.quote(text)} | sed {edits} | sha256sum | cut -d' ' -f1"


def _inject(action: CreateContainer, file: InjectedFile, spell: Spell) -> str:
    """A tree with one file, sent as an archive, because `docker cp` creates no parent directories."""
    path = str(PurePosixPath(file.path)).lstrip("/")
    folder = str(PurePosixPath(path).parent)
    text = file.content.decode("utf-8", "surrogateescape")
    content = spell(action.service, file.path, text) if file.secret else shlex.quote(text)
    place = f'"$d"/{shlex.quote(path)}'
    return (
        f'd=$(mktemp -d) && mkdir -p "$d"/{shlex.quote(folder)}'
        f" && printf %s {content} > {place} && chmod {file.mode:04o} {place}"
        f' && tar -C "$d" --owner=:{file.uid} --group=:{file.gid} -cf - {shlex.quote(path)}'
        f" | docker cp - {shlex.quote(action.target)}:/"
        f' && rm -rf "$d"'
    )


@_steps.register(plan.BuildImage)
def _build(action: plan.BuildImage, spell: Spell) -> Iterator[Step]:
    request = action.build
    words = shlex.join(("docker", "build", *_build_flags(request)))
    arguments = [
        f"--build-arg {shlex.quote(name) if value is None else spell(action.service, name, value)}"
        for name, value in request.args.items()
    ]
    command = " ".join((words, *arguments, shlex.quote(request.context)))
    if request.dockerfile_inline:
        command = f"printf %s {shlex.quote(request.dockerfile_inline)} | {command}"
    yield command, f"Builds the image of {action.service}: {action.cause}."


def _build_flags(request: BuildRequest) -> Iterator[str]:
    for tag in (request.tag, *request.extra_tags):
        yield from ("--tag", tag)
    yield from ("--file", _dockerfile(request))
    for flag, value in (
        ("--target", request.target),
        ("--network", request.network),
        ("--isolation", request.isolation),
        ("--platform", ",".join(request.platforms)),
        ("--shm-size", str(request.shm_size or "")),
    ):
        if value:
            yield from (flag, value)
    yield from _repeated_build_flags(request)
    if request.no_cache:
        yield "--no-cache"
    if request.pull:
        yield "--pull"


def _dockerfile(request: BuildRequest) -> str:
    if request.dockerfile_inline:
        return "-"
    if "://" in request.context or request.dockerfile.startswith("/"):
        return request.dockerfile
    return str(PurePosixPath(request.context) / request.dockerfile)


def _repeated_build_flags(request: BuildRequest) -> Iterator[str]:
    pairs = {
        "--label": request.labels,
        "--build-context": request.additional_contexts,
        "--ulimit": request.ulimits,
    }
    for flag, values in pairs.items():
        for name, value in values.items():
            yield from (flag, f"{name}={value}")
    lists = {
        "--cache-from": request.cache_from,
        "--cache-to": request.cache_to,
        "--ssh": request.ssh,
        "--add-host": request.extra_hosts,
        "--no-cache-filter": request.no_cache_filter,
        "--allow": (*request.entitlements, *(("security.insecure",) if request.privileged else ())),
    }
    for flag, items in lists.items():
        for item in items:
            yield from (flag, item)
    for name, origin in request.secrets:
        variable = origin.removeprefix("env:")
        yield from (
            "--secret",
            f"id={name},env={variable}" if variable != origin else f"id={name},src={origin}",
        )


@_steps.register(plan.CreateNetwork)
def _create_network(action: plan.CreateNetwork, spell: Spell) -> Iterator[Step]:
    body = action.body
    words = ["--driver", str(body["Driver"])] if body.get("Driver") else []
    for name, value in (body.get("Options") or {}).items():
        words += ["--opt", f"{name}={value}"]
    words += [flag for key, flag in _NETWORK_SWITCHES.items() if body.get(key)]
    if body.get("EnableIPv4") is False:
        words.append("--ipv4=false")
    ipam = body.get("IPAM") or {}
    words += ["--ipam-driver", ipam["Driver"]] if ipam.get("Driver") else []
    for name, value in (ipam.get("Options") or {}).items():
        words += ["--ipam-opt", f"{name}={value}"]
    for pool in ipam.get("Config") or ():
        words += [word for key, flag in _POOL_FLAGS.items() if pool.get(key) for word in (flag, pool[key])]
        for name, address in (pool.get("AuxiliaryAddresses") or {}).items():
            words += ["--aux-address", f"{name}={address}"]
    for name, value in (body.get("Labels") or {}).items():
        words += ["--label", f"{name}={value}"]
    command = _words("network", "create", *words, action.target)
    yield command, "Creates the network on which the containers reach each other by name."


_NETWORK_SWITCHES = {"Internal": "--internal", "Attachable": "--attachable", "EnableIPv6": "--ipv6"}
_POOL_FLAGS = {"Subnet": "--subnet", "IPRange": "--ip-range", "Gateway": "--gateway"}


@_steps.register(plan.CreateVolume)
def _create_volume(action: plan.CreateVolume, spell: Spell) -> Iterator[Step]:
    body = action.body
    words = ["--driver", str(body["Driver"])] if body.get("Driver") else []
    for flag, key in (("--opt", "DriverOpts"), ("--label", "Labels")):
        for name, value in (body.get(key) or {}).items():
            words += [flag, f"{name}={value}"]
    yield (
        _words("volume", "create", *words, action.target),
        "Creates the volume, which outlives its containers.",
    )


@_steps.register(plan.RunCommand)
def _run_command(action: plan.RunCommand, spell: Spell) -> Iterator[Step]:
    words = ["--user", action.user] if action.user else []
    words += ["--privileged"] if action.privileged else []
    words += ["--workdir", action.working_dir] if action.working_dir else []
    variables = [f"--env {_variable(action.service, variable, spell)}" for variable in action.environment]
    command = " ".join((_words("exec", *words), *variables, shlex.join((action.container, *action.command))))
    yield command, f"Runs a command inside the container: {action.cause}."


@_steps.register(plan.AwaitReady)
def _await(action: plan.AwaitReady, spell: Spell) -> Iterator[Step]:
    """A loop that ends once the container meets the condition, or fails after the time-out."""
    name = shlex.quote(action.target)
    if action.condition == COMPLETED:
        yield f'test "$(docker wait {name})" = 0', f"Waits until {action.service} has exited with 0."
        return
    rounds = max(1, round(action.timeout))
    if action.probe.kind is ProbeKind.HEALTHCHECK and not action.late_probe:
        state, test, what = ".State.Health.Status", "= healthy", "is healthy"
    else:
        state, test, what = ".State.Status", "!= created", "is running"
    status = f"docker inspect --format '{{{{{state}}}}}' {name}"
    loop = f'n=0; until [ "$({status})" {test} ]; do n=$((n+1)); [ $n -le {rounds} ]; sleep 1; done'
    yield loop, f"Waits until {action.service} {what}, at most {rounds} s."
