"""Tasks about the whole stack, a module for each: up, down, ps, logs, watch, config, stacks, and images."""
