"""Carries a plan out; readiness, hooks, logs, shutdown. Decides nothing and prints nothing.

What the tasks call (options in `options`, all events through `session.emit`):

- `up.plan(session, UpOptions) -> Plan`, `up.bring_up(session, UpOptions) -> UpResult`
- `down.plan(session, DownOptions) -> Plan`, `down.take_down(session, DownOptions) -> DownResult`
- `attach.run_attached(session, UpOptions, watch=None) -> None`
- `logs.show(session, LogOptions) -> None`
- `lifecycle.start/stop/restart/pause/unpause/kill/remove(session, services, ...) -> None`
- `listing.containers(engine, project, services=(), all_=False) -> tuple[dict[str, object], ...]`
- `build.build_images(session, BuildOptions) -> tuple[BuiltImage, ...]`
- `images.pull/push(session, services) -> None`
- `oneoff.run(session, RunOptions) -> int`, `interactive.execute(session, ExecOptions) -> int`
- `copying.copy(session, source, destination) -> None`
"""
