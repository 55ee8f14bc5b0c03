"""What the watch does about changed files: `actions.actions_for` decides, `decisions.decide` says why."""
