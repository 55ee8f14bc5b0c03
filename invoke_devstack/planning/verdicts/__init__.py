"""What `up` does with containers that exist, and why. Entry: `existing_containers.service_verdict`."""
