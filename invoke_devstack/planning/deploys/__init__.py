"""A stack on a swarm: what it should be, what it is, and the plan between the two. Pure."""
