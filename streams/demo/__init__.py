"""The demo: the 2:17 a.m. incident and a queue fight, lived through by real small control loops on a simulated system.

`world` is the system, `agents` the loops, `incident` both on one clock, `parts` the real broker and workers, `screen` what one
sees, `run` the whole.
"""

from pathlib import Path

DIRECTORY = Path(".interplay/demo")  # where the demo leaves its settings, store and logs unless told otherwise
SETTINGS = DIRECTORY / "demo.toml"
