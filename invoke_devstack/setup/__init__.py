"""Doctor and its mends: the engine, the images, the ports."""
