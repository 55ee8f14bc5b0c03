"""What the dashboard asks of the tasks. Entry: `serve.serving`."""
