"""Carries out plans. Decides nothing and prints nothing: results and events go to the caller.

- `stack`: up, down, start, stop, restart, …, and the lists of containers and stacks
- `attached`: an attached `up`, with logs and watch
- `watch`: keeps containers up to date with files
- `snapshots`: saves and restores data
- `inside`: exec, one-off containers, copy
- `logs`: history and following
- `images`: build, pull, push, remove
- `executing`: runs the actions of a plan; `readiness` waits until services are ready; `ports`
- here: what all of them share. Every entry takes a `session.Session` and often options (`options`).
"""
