"""What all tests start from, whoever starts them."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

# How long an example takes depends on what else the machine does: it says nothing of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# A background job of a shell ignores Ctrl-C, and so would every command that the tests start from there.
signal.signal(signal.SIGINT, signal.default_int_handler)

# `make test` tells each `make` below it that it is one, and hands its variables on.
for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "args", "s", "cmd"):
    os.environ.pop(name, None)
