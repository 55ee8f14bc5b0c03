"""Containers. Entry points: `observing.Observing` reads the engine's state, `lifecycle.Containers` changes
containers, `execs.Execs` reaches into them, `port_holders.find_holder` says what uses a port."""
