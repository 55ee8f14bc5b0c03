"""Tasks for scripts and agents, and for people who want an answer in few words."""
