"""What a person types: flags, help texts, and one call for each task. With `testing`, the only room that
imports Invoke. Start at `namespace.stack`, which a tasks.py calls, and `catalogue`, the list of all tasks.

A task lives in the subroom of its subject: `stack`, `containers`, `reach`, `data`, `machine`, `agents`.
"""
