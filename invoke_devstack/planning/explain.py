"""Every action as the `docker` command that does the same by hand, with a sentence on what it is for."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

from invoke_devstack.events import Explained
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.create_flags import connect_flags, create_flags, later_networks
from invoke_devstack.planning.plan import (
    Action,
    AwaitReady,
    BuildImage,
    BuildRequest,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    InjectedFile,
    KillContainer,
    PauseContainer,
    PullImage,
    PushImage,
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    RestartContainer,
    RunCommand,
    RunHook,
    StartContainer,
    StopContainer,
    UnpauseContainer,
)
from invoke_devstack.planning.settle import placeholder
from invoke_devstack.secrets import MASK, masked

Spell = Callable[[str, str, str], str]
"""(service, variable, value) -> how `NAME=value` stands in the command, quoted for a shell. The content
of a secret file has its path as the name, and stands there alone."""


def masked_variable(service: str, name: str, value: str) -> str:
    """As a person may see it."""
    return f"'{MASK}'" if name.startswith("/") else shlex.quote(f"{name}={masked(name, value)}")


def explain(action: Action, spell: Spell = masked_variable) -> tuple[Explained, ...]:
    """The commands of one action; several where one cannot say it all. Lines that start with `#` are
    remarks on what the command line cannot do."""
    return tuple(
        Explained(command=command, sentence=sentence) for command, sentence in _explain(action, spell)
    )


Step = tuple[str, str]

_OWN_SIGNAL = "its own stop signal, mostly SIGTERM"


def _explain(action: Action, spell: Spell) -> Iterator[Step]:
    match action:
        case CreateContainer():
            yield from _create(action, spell)
        case BuildImage():
            yield _build(action, spell)
        case CreateNetwork():
            yield _create_network(action)
        case CreateVolume():
            yield _create_volume(action)
        case AwaitReady():
            yield _await(action)
        case RunCommand():
            yield _run_command(action, spell)
        case RunHook():
            yield (
                f"# the hook `{action.target}` of tasks.py",
                "Runs a function of the team's; no docker command does.",
            )
        case _:
            yield _simple(action)


def _simple(action: Action) -> Step:
    """Actions that are one short command."""
    target = action.target
    match action:
        case PullImage():
            platform = ["--platform", action.platform] if action.platform else []
            return _words("pull", *platform, target), f"Gets the image from its registry: {action.cause}."
        case PushImage():
            return _words("push", target), f"Sends the image to its registry: {action.cause}."
        case RenameContainer():
            return _words("rename", target, action.new_name), "Gives the new container its name."
        case StartContainer():
            return _words("start", target), f"Starts the container: {action.cause}."
        case StopContainer():
            return (
                _words("stop", "-t", f"{action.grace:.0f}", action.name),
                f"Asks it to end ({action.signal or _OWN_SIGNAL}), and ends it by SIGKILL if it has not"
                f" ended {action.grace:g} s later.",
            )
        case RestartContainer():
            return (
                _words("restart", "-t", f"{action.grace:.0f}", action.name),
                f"Ends it as `docker stop` does, within {action.grace:g} s, and starts it again.",
            )
        case RemoveContainer():
            flags = [*(["--volumes"] if action.volumes else []), *(["--force"] if action.force else [])]
            also = " and its anonymous volumes" if action.volumes else ""
            return _words("rm", *flags, action.name), f"Removes the container{also}: {action.cause}."
        case PauseContainer():
            return _words("pause", target), "Freezes all processes of the container."
        case UnpauseContainer():
            return _words("unpause", target), "Lets the container's processes go on."
        case KillContainer():
            return _words("kill", "--signal", action.signal, target), _about_signal(action.signal)
        case RemoveNetwork():
            return _words("network", "rm", target), f"Removes the network: {action.cause}."
        case RemoveVolume():
            return _words("volume", "rm", target), "Removes the volume, with its data."
        case RemoveImage():
            force = ["--force"] if action.force else []
            return _words("image", "rm", *force, target), f"Removes the image: {action.cause}."
    raise TypeError(f"no docker command for {action.kind}")


def _about_signal(signal: str) -> str:
    if signal in ("SIGKILL", "9"):
        return "Ends it at once by SIGKILL, which no process can catch: nothing is saved or closed first."
    return f"Sends {signal} to its first process, which decides what comes of it."


def _words(*words: str) -> str:
    return shlex.join(("docker", *words))


def _create(action: CreateContainer, spell: Spell) -> Iterator[Step]:
    flags = create_flags(action.body)
    tells = _tells_secrets(flags.environment)
    remarks = [*flags.remarks, *([_UNTOLD_HASH] if tells and action.late and action.late.containers else [])]
    for remark in remarks:
        yield f"# {remark}", "What the command line cannot say."
    platform = ["--platform", action.platform] if action.platform else []
    parts = [
        _words("create", "--name", action.target, *platform, *flags.words),
        *(f"--env {_spelt(action.service, variable, spell)}" for variable in flags.environment),
        *_labels(action, flags.labels, tells=tells),
        shlex.join((str(action.body["Image"]), *flags.arguments)),
    ]
    yield " ".join(parts), f"Makes the container of {action.service}, without starting it: {action.cause}."
    networks = {**later_networks(action.body), **action.more_networks}
    for name, endpoint in networks.items():
        yield (
            _words("network", "connect", *connect_flags(endpoint), name, action.target),
            "Joins one more network.",
        )
    for file in action.files:
        yield _inject(action, file, spell), f"Writes {file.path} into the container."


def _spelt(service: str, variable: str, spell: Spell) -> str:
    name, equals, value = variable.partition("=")
    return spell(service, name, value) if equals else shlex.quote(name)


_UNTOLD_HASH = "the container's hash is left out: it is made of secrets too; `invoke up` will make it anew"


def _tells_secrets(environment: tuple[str, ...]) -> bool:
    pairs = (variable.partition("=") for variable in environment)
    return any(masked(name, value) != value for name, _, value in pairs)


def _labels(action: CreateContainer, labels: Mapping[str, str], *, tells: bool) -> Iterator[str]:
    """Labels, with the ids that are known only when the command runs. `tells`: the text that is hashed
    has secrets in it."""
    late = action.late
    for name, value in labels.items():
        if name == label.CONFIG_HASH and late and late.containers and not tells:
            yield f'--label "{name}=$({_late_hash(late.hash_input, late.containers)})"'
        else:
            yield f"--label {shlex.quote(f'{name}={value}')}"
    if late and late.image:
        inspect = f"docker image inspect --format '{{{{.Id}}}}' {shlex.quote(late.image)}"
        yield f'--label "{label.IMAGE}=$({inspect})"'


def _late_hash(text: str, containers: tuple[str, ...]) -> str:
    """A command that hashes the text with the containers' ids in it."""
    edits = " ".join(
        f"-e \"s/{placeholder(name)}/$(docker inspect --format '{{{{.Id}}}}' {name})/g\""
        for name in containers
    )
    return f"printf %s {shlex.quote(text)} | sed {edits} | sha256sum | cut -d' ' -f1"


def _inject(action: CreateContainer, file: InjectedFile, spell: Spell) -> str:
    """A directory tree with the one file, sent as an archive, because `docker cp` makes no parents."""
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


def _build(action: BuildImage, spell: Spell) -> Step:
    request = action.build
    words = shlex.join(("docker", "build", *_build_flags(request)))
    arguments = [
        f"--build-arg {shlex.quote(name) if value is None else spell(action.service, name, value)}"
        for name, value in request.args.items()
    ]
    command = " ".join((words, *arguments, shlex.quote(request.context)))
    if request.dockerfile_inline:
        command = f"printf %s {shlex.quote(request.dockerfile_inline)} | {command}"
    return command, f"Builds the image of {action.service}: {action.cause}."


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
    if request.privileged:
        yield from ("--allow", "security.insecure")


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


def _create_network(action: CreateNetwork) -> Step:
    body = action.body
    words = ["--driver", str(body["Driver"])] if body.get("Driver") else []
    for name, value in (body.get("Options") or {}).items():
        words += ["--opt", f"{name}={value}"]
    words += [flag for key, flag in _NETWORK_SWITCHES.items() if body.get(key)]
    if body.get("EnableIPv4") is False:
        words.append("--ipv4=false")
    ipam = body.get("IPAM") or {}
    words += ["--ipam-driver", ipam["Driver"]] if ipam.get("Driver") else []
    for pool in ipam.get("Config") or ():
        words += [word for key, flag in _POOL_FLAGS.items() if pool.get(key) for word in (flag, pool[key])]
        for name, address in (pool.get("AuxiliaryAddresses") or {}).items():
            words += ["--aux-address", f"{name}={address}"]
    for name, value in (body.get("Labels") or {}).items():
        words += ["--label", f"{name}={value}"]
    command = _words("network", "create", *words, action.target)
    return command, "Makes the network on which the containers find each other by name."


_NETWORK_SWITCHES = {"Internal": "--internal", "Attachable": "--attachable", "EnableIPv6": "--ipv6"}
_POOL_FLAGS = {"Subnet": "--subnet", "IPRange": "--ip-range", "Gateway": "--gateway"}


def _create_volume(action: CreateVolume) -> Step:
    body = action.body
    words = ["--driver", str(body["Driver"])] if body.get("Driver") else []
    for flag, key in (("--opt", "DriverOpts"), ("--label", "Labels")):
        for name, value in (body.get(key) or {}).items():
            words += [flag, f"{name}={value}"]
    return _words(
        "volume", "create", *words, action.target
    ), "Makes the volume, which outlives its containers."


def _run_command(action: RunCommand, spell: Spell) -> Step:
    words = ["--user", action.user] if action.user else []
    words += ["--privileged"] if action.privileged else []
    words += ["--workdir", action.working_dir] if action.working_dir else []
    variables = [f"--env {_spelt(action.service, variable, spell)}" for variable in action.environment]
    command = " ".join((_words("exec", *words), *variables, shlex.join((action.container, *action.command))))
    return command, f"Runs a command inside the container: {action.cause}."


def _await(action: AwaitReady) -> Step:
    """A loop that ends when the container is as it should be, or fails when it no longer can be."""
    name = shlex.quote(action.target)
    if action.condition == "service_completed_successfully":
        return f'test "$(docker wait {name})" = 0', f"Waits until {action.service} has ended with 0."
    rounds = max(1, round(action.timeout))
    if action.probe.kind == "healthcheck" and not action.late_probe:
        state, wanted, what = ".State.Health.Status", "healthy", "says that it is healthy"
    else:
        state, wanted, what = ".State.Status", "running", "runs"
    asked = f"docker inspect --format '{{{{{state}}}}}' {name}"
    loop = f'n=0; until [ "$({asked})" = {wanted} ]; do n=$((n+1)); [ $n -le {rounds} ]; sleep 1; done'
    if wanted == "running":
        loop = f'n=0; until [ "$({asked})" != created ]; do n=$((n+1)); [ $n -le {rounds} ]; sleep 1; done'
    return loop, f"Waits until {action.service} {what}, {rounds} s at most."
