"""A service that runs on this machine instead of in a container: what its process gets, and what stands in
for it among the containers. Pure."""
