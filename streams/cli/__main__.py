"""`python -m streams.cli`: the program, where its script is not on the path."""

from __future__ import annotations

import sys

from streams.cli import main

sys.exit(main())
