"""What has tasks done for programs, below the rooms that ask for it: `dashboard`, `mcp`.

`host.Host` is what they need of the stack, which the tasks provide; `console.RunConsole` passes on what a
task says, and `log_line.Line` knows what is in a line of a log.
"""
