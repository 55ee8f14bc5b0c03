"""Exit codes, as docs/reference/exit-codes.md explains them."""

from __future__ import annotations

from collections.abc import Mapping

from invoke_devstack.errors import DevstackError, UsageError

EXIT_CODES: Mapping[int, str] = {
    0: "success",
    DevstackError.exit_code: "failure",
    UsageError.exit_code: "wrong usage",
    129: "ended because the terminal was closed",
    130: "ended by Ctrl-C",
    141: "the reader of stdout is gone",
    143: "ended by SIGTERM",
}
"""Of every task. `exec`, `run` and `wait` end with the code of the command or container too."""

OF_ERRORS = (DevstackError.exit_code, UsageError.exit_code)
"""Those that come with an error on stdout."""
