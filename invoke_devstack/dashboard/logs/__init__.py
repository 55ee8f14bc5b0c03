"""Keeps the lines of all containers, and finds them. Entry: `feed.Feed`."""
