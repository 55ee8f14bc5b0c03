"""One module for each verb: `up.plan_up`, `down.plan_down`, `lifecycle.plan_start`, `rebuild.plan_build`,
`one_off.plan_oneoff`, `transfers.plan_pull`. Snapshots have no plan; `snapshots` names and finds them.
"""
