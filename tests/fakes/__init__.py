"""A small engine by hand, for the unit tests of what stands above the engine.

It keeps containers, images, networks and volumes as plain data, does at once what a real engine takes
time for, and writes down each call that changes something. What a container does is scripted:
`engine.behaviour["project-web-1"] = Behaviour(exit_code=3, logs=[("stdout", b"bye\\n")])`.
"""

from __future__ import annotations

from tests.fakes.engine import FakeEngine as FakeEngine
from tests.fakes.state import Behaviour as Behaviour
