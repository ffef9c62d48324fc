"""The library of scenarios: text files, one folder per pattern and one of controls. Read by `streams.library`; see docs/scenarios.md."""
