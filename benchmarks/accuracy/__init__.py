"""How right the findings are, floors and other people's methods beside them: `make bench-accuracy [DATA=DIR]` (docs/accuracy.md)."""
