"""The cluster that a manager keeps: its nodes, services, tasks, configs and secrets."""
