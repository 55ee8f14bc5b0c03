"""What `--json` prints, as JSON Schemas: of every answer (`answers`), every event (`events_schema`) and the
exit codes (`exit_codes`). `files` has them as the files in docs/reference/schema. No command imports this
room.

A schema says what is there, not that nothing else is: members may be added.
"""
