"""What single pages ask for: a service in detail, plans, data, the machine."""
