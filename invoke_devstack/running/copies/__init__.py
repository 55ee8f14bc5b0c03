"""Isolated copies of the stack for a job (`planning.copies` says what a copy is). What the tasks call:

- `adding.add(session, copy, snapshots)`: claims its name, puts data in place, brings it up
- `found.all_copies(engine) -> tuple[FoundCopy, ...]`: what the engine has, by labels
- `ending.end(session, copy)`: removes it with its data
- `ending.end_expired(session, copies)`: the same for each that has outlived its time
"""
