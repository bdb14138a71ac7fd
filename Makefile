# Everything a checkout can do; each target sets up first what it lacks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo run test test-slow crash-test lint format bench screenshots constraints clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(READY) ## open the app on the embedded demo server; no account needed
	@$(BIN)/jellytui demo

run: $(READY) ## open the app on your own server
	@$(BIN)/jellytui

test: $(READY) ## run the tests (under 5 minutes on 2 cores)
	@.setup/tools.sh
	$(BIN)/python -m pytest -n 3 -m "not slow"  # one more than cores: many wait

test-slow: $(READY) ## run the tests that need true durations
	$(BIN)/python -m pytest -m slow --timeout 900

crash-test: $(READY) ## kill a downloading process a thousand times (about ten minutes)
	JELLYTUI_CRASH_ROUNDS=1000 $(BIN)/python -m pytest tests/faults/test_kill.py tests/faults/test_kill_program.py -s

lint: $(READY) ## check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## measure, as ratios within one run
	$(BIN)/python -m tests.bench

screenshots: $(READY) ## take the pictures in screenshots/ from the running app
	$(BIN)/python -m tests.shots.make

constraints: $(READY) ## write constraints.txt anew from the ranges in pyproject.toml
	$(BIN)/pip install -q pip-tools
	$(BIN)/python .setup/requirements.py > $(VENV)/requirements.in
	$(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o constraints.txt $(VENV)/requirements.in

clean: ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt .setup/system.sh
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "jellytui needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@.setup/system.sh $(PYTHON)
	@echo "==> setting up $(VENV) (once; needs the network)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
