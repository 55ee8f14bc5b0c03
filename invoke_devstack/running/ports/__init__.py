"""Host ports. Entries: `free_ports.choose_free_ports`, `addresses.reachable`, `addresses.to_open`."""
