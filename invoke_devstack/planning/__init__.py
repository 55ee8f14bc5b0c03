"""Pure: Definition + Observed -> Plan. No I/O, no engine.

The root has what all plans share: `plan` (actions), `causes`, `observed`, `options`, `labels`, `names`,
`graph`, `schedule`. Entry points: `plans.up.plan_up` and its neighbours.
"""
