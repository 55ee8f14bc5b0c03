"""Connect, observe, containers, images, builds, streams. The only room that imports docker."""
