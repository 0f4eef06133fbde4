# Two commands: `make demo` and `make test`. Both need only Python >= 3.11, git and make; everything else goes into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo
WORKERS ?= 4
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Else each of the workers that test compiles all tests again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-faults test-peers check types lint collect unit gate docs docs-check pictures lock bench clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 14

demo: $(VENV)/.run ## build a demonstration engagement and open it
	@$(BIN)/aether-tui demo --dir $(DEMO)

test: check unit gate ## everything a change must pass

check: $(VENV)/.dev ## lint, format, types, import contracts, generated docs
	@$(MAKE) --no-print-directory -j2 types lint docs-check collect

types: $(VENV)/.dev
	$(BIN)/mypy

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

collect: $(VENV)/.dev # once for all workers: what pytest compiles and Hypothesis reads is kept
	@told=$$($(BIN)/pytest -n0 --collect-only -qq 2>&1) || { echo "$$told"; exit 1; }

unit: $(VENV)/.dev ## tests, the built wheel in an empty environment among them
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --junitxml report-junit.xml

test-faults: $(VENV)/.dev ## kill consoles, interviews, syncs and writers 200 times, press keys at random, and merge in any order
	AETHER_KILLS=200 AETHER_CONSOLE_KILLS=200 $(BIN)/pytest -n0 -s -q -k kill tests/pty/test_interview.py tests/workspace/test_sitting.py tests/workspace/test_store.py
	AETHER_KILLS=1 $(BIN)/pytest -n0 -q -k interrupted tests/demo
	AETHER_MONKEYS=20 $(BIN)/pytest -n0 -q tests/tui/test_monkey.py
	AETHER_CACHE_KILLS=200 AETHER_EXAMPLES=30 $(BIN)/pytest -n0 -q tests/cache/test_faults.py tests/cache/test_trouble.py tests/cache/test_any_order.py tests/receiver/test_receive.py

test-peers: $(VENV)/.peers ## test against what nobody here wrote: ClickHouse, moto, Langfuse, Phoenix, OpenTelemetry for Node (2.2 GB)
	$(BIN)/pytest -n0 -q -rs -s tests/peers

gate: $(VENV)/.dev ## the project's own budgets, over its own test report and benchmark ratios
	$(BIN)/python -m benchmarks.ratios report-ratios.json
	$(BIN)/aether-tui budget check report-junit.xml report-ratios.json

docs: $(VENV)/.dev ## write the generated pages of docs/
	$(BIN)/python docs/generate.py

pictures: $(VENV)/.dev ## draw the pictures of the README from a demonstration of one day
	at=2026-11-21T09:30:00+00:00; to=$$(mktemp -d) && trap "rm -rf $$to" EXIT && \
	$(BIN)/aether-tui --as-of $$at demo --no-tui --dir $$to/demo >$$to/told && \
	$(BIN)/python docs/pictures.py docs/pictures $$to/demo lens flow scorecard pipeline --as-of $$at

docs-check: $(VENV)/.dev
	$(BIN)/python docs/generate.py --check

bench: $(VENV)/.dev ## measure every number of the data plane (AETHER_BENCH_SPANS=10000000 for the whole) and how it feels; prints ratios
	-$(BIN)/python -m benchmarks.bench
	$(BIN)/python -m benchmarks

lock: ## renew the lock files (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate \
	  pyproject.toml --group build -o requirements.lock --upgrade
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate \
	  pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate \
	  pyproject.toml --group peers -c requirements-dev.lock -o requirements-peers.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate \
	  --group phoenix -o requirements-phoenix.lock

clean: ## remove the environment and what the tools left
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis report-junit.xml report-ratios.json

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "aether-tui needs Python 3.11 or newer; set PYTHON=/path/to/python3")'
	@$(PYTHON) -m venv $(VENV)

# One environment: what the product runs on, then, for `make test`, what it is checked with.
$(VENV)/.run: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "setting up $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q aether_tui connectors screens
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# Phoenix has requirements of its own, so it has an environment of its own (its lock is whole: pip need not resolve extras).
# JavaScript is left out where npm is absent.
$(VENV)/.peers: $(VENV)/.dev requirements-peers.lock requirements-phoenix.lock tests/peers/javascript/package-lock.json
	@$(PIP) install --require-hashes -r requirements-peers.lock
	@$(BIN)/python -m venv $(VENV)/phoenix
	@$(PIP) --python $(VENV)/phoenix/bin/python install --no-deps --require-hashes -r requirements-phoenix.lock
	@mkdir -p $(VENV)/javascript && cp tests/peers/javascript/package*.json $(VENV)/javascript
	@! command -v npm >/dev/null || npm ci --prefix $(VENV)/javascript --silent --no-audit --no-fund --ignore-scripts
	@touch $@
