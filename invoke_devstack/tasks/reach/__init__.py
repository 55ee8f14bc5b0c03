"""Tasks that say how to reach the stack and whether it is ready: urls, open, env, is-ready, graph."""
