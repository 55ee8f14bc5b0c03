"""Executes plans. Entries: `executor.execute`, `executor.announce_and_execute`; each kind of action has a
function in `actions`.
"""
