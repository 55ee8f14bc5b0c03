"""An attached `up`: the stack with its logs and its watch in one terminal. Entry: `attach.run_attached`."""
