"""Which actions of a plan may begin, as what they need happens."""

from __future__ import annotations

from collections.abc import Iterable

from invoke_devstack.planning.plan import Action, Plan


class Schedule:
    """Actions and ends alike are nodes: whoever executes the plan reports each with `happened`."""

    def __init__(self, plan: Plan) -> None:
        self._unmet = {action.id: set(action.needs) for action in plan}
        self._needed_by: dict[str, list[Action]] = {}
        for action in plan:
            for need in action.needs:
                self._needed_by.setdefault(need, []).append(action)
        self.first = tuple(action for action in plan if not action.needs)
        """The actions that may begin at once."""

    def happened(self, node: str) -> Iterable[Action]:
        """The actions that may begin now that `node` has happened. Reporting it again changes nothing."""
        free: list[Action] = []
        for action in self._needed_by.pop(node, ()):
            unmet = self._unmet[action.id]
            unmet.discard(node)
            if not unmet:
                free.append(action)
        return free
