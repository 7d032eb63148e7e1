# The project's commands. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.setup-stamp

# What changes the environment: nothing else makes `make setup` do anything.
REQUIREMENTS := requirements/dev.txt requirements/constraints.txt protos/pyproject.toml sdk/pyproject.toml services/pyproject.toml

# pytest-xdist spreads the tests over the cores; tests marked with the same xdist_group share a process.
PYTEST_ARGS ?= -n auto --dist loadgroup

SEEDS ?= 1000
FIRST ?= 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup protos check test demo bench simulate chaos clean

help: ## List the commands.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## Make .venv and install the project in it, editable, with pinned versions (quick when nothing changed).

# The distributions go in one command, so that pip finds them in one another's requirements instead of looking them up.
$(STAMP): $(REQUIREMENTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-build-isolation -c requirements/constraints.txt \
		-e protos -e sdk -e 'services[pyvoy,archive,cassandra,acsylla,telemetry]'
	@touch $@

protos: setup ## Generate protos/tenuto_api from the .proto files.
	$(RUN) protos/generate.py

check: setup ## Lint, types, import directions, freshness of generated code.
	@status=0; \
	for command in "ruff check --output-format=concise ." "mypy" "lint-imports --no-logo" "python protos/generate.py --check"; do \
		echo "== $$command"; $(VENV)/bin/$$command || status=1; \
	done; \
	exit $$status

# The tests run even where `check` fails, so that one run tells everything; either failing fails the whole.
test: setup ## Everything CI runs: setup, check, then all tests.
	@status=0; \
	$(MAKE) --no-print-directory check || status=1; \
	$(RUN) -m pytest $(PYTEST_ARGS) tests || status=1; \
	exit $$status

demo: setup ## A whole system in one process, with a workflow run on it.
	@$(RUN) sdk/samples/demo.py

bench: setup ## The benchmarks (tests/benchmarks): ratios side by side.
	@$(RUN) -m tests.benchmarks $(BENCH_ARGS)

simulate: setup ## Deterministic simulation of the cluster: make simulate SEEDS=1000 FIRST=1.
	@$(RUN) -m tests.simulation --seeds $(SEEDS) --first $(FIRST)

chaos: setup ## Faults on real processes and a real Cassandra: make chaos CHAOS_ARGS="zombie --rounds 3 --seed 7".
	@$(RUN) -m tests.chaos $(CHAOS_ARGS)

clean: ## Remove .venv, caches and build leftovers.
	rm -rf $(VENV) .venv-clients .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf protos/*.egg-info sdk/*.egg-info services/*.egg-info protos/build sdk/build services/build
	find protos sdk services tests -name __pycache__ -type d -prune -exec rm -rf {} +
