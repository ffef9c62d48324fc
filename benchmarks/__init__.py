"""Tables with floors beside them: `make bench`, or one of them as `python -m benchmarks.NAME`."""
