"""Carries a plan out; readiness, hooks, watch, logs, shutdown. Decides nothing, prints nothing."""
