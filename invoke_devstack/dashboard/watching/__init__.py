"""Observes the stack while the dashboard runs. Entry: `stack.Stack`."""
