"""Commands on the whole stack. Entries: `up.bring_up`, `down.take_down`, `lifecycle` (start, stop, …),
`listing.containers` for `ps`, `stacks.all_stacks`, `stats.Meters`.
"""
