"""A first definition for a project that has none: what is looked at, what can be chosen, what is written."""
