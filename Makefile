# Everything a newcomer or CI runs. Needs Python 3.11+ and make; the first target that needs it creates .venv with pinned versions.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-faults e2e-otel e2e-kubernetes lint bench bench-accuracy bench-writes fuzz golden dashboards lock clean

help:  ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | expand -t 16

demo: $(VENV)/.runs  ## live through an incident: broker, workers, store and agents on this machine; ends by itself within 90 s
	@$(BIN)/interplay demo

test: $(VENV)/.tests  ## all tests but the long fault scenarios, on the embedded broker, and on Apache Kafka where there is Java
	@scripts/run-tests.sh $(BIN)/python

test-faults: $(VENV)/.tests  ## the long fault scenarios: kill -9, broker restarts, a store that is away
	@scripts/run-tests.sh $(BIN)/python --faults

e2e-otel: $(VENV)/.tests  ## a real OpenTelemetry Collector and Apache Kafka before the workers: minutes; needs Go, Java and Maven
	$(BIN)/python scripts/e2e_otel.py

e2e-kubernetes: $(VENV)/.runs  ## a real Kubernetes control plane, built with Go: fights in it must be found; a quarter of an hour, as long again to build once
	@$(BIN)/python -m scripts.kubernetes run

lint: $(VENV)/.tests  ## ruff, formatting, mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.tests  ## tables with floors beside them; takes a quarter of an hour
	@$(BIN)/python -m benchmarks

bench-accuracy: $(VENV)/.tests  ## how right the findings are; DATA=FOLDER with the public data of docs/accuracy.md
	@$(BIN)/python -m benchmarks.accuracy $(if $(DATA),--data "$(DATA)")
	@$(BIN)/python -m benchmarks.world

bench-writes: $(VENV)/.tests  ## ten million writes over 100,000 knobs: the cost of each and the memory; minutes; WRITES=N for a part
	@$(BIN)/python -m benchmarks.accuracy.cost $(if $(WRITES),--writes $(WRITES))

fuzz: $(VENV)/.tests  ## two minutes of broken and mutated records against the decoders; see tests/fuzz_*.py
	$(BIN)/python tests/fuzz_decoder.py
	$(BIN)/python tests/fuzz_otlp.py
	$(BIN)/python tests/fuzz_json.py
	$(BIN)/python tests/fuzz_kubernetes.py

golden: $(VENV)/.tests  ## rewrite tests/golden/scenarios: the findings of the scenarios as prose; read the diff as prose
	$(BIN)/python tests/golden_explanations.py

dashboards: $(VENV)/.runs  ## rewrite dashboards/*.json from dashboards/generate.py
	$(BIN)/python dashboards/generate.py

lock: $(VENV)/.tests  ## rewrite the pins from what is installed in .venv
	$(BIN)/python scripts/lock.py

clean:  ## remove the environment, caches and what the demo left
	rm -rf $(VENV) .interplay .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info sdk/src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The two stamps: what the program needs, and what lint and tests need besides.
$(VENV)/.runs: requirements.lock pyproject.toml sdk/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "interplay needs Python 3.11 or newer; say which: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "installing pinned versions into $(VENV) (about 300 MB to fetch the first time) ..."
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { echo "the venv module is missing; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . -e sdk
	@touch $@

$(VENV)/.tests: $(VENV)/.runs requirements-test.lock
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements-test.lock
	@touch $@
