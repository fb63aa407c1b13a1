# What a person types. Everything runs in a virtual environment of its own, made on first use from constraints.txt.

VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt --only-binary :all:
INSTALLED = $(VENV)/installed

# A test run starts hundreds of servers: Python is to keep what it has compiled, whatever the environment says.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo test lint format coverage bench clean

help:            ## Show this list.
	@sed -n 's/^\([a-z]*\): .*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(INSTALLED)      ## Queues, topics and functions, each with a kill -9 in the middle, in under a minute.
	@$(BIN)/python -m examples.queues.demo
	@echo
	@$(BIN)/python -m examples.topics.demo
	@echo
	@$(BIN)/python -m examples.functions.demo

test: $(INSTALLED)      ## Run all tests.
	$(BIN)/python -m pytest -n 3

lint: $(INSTALLED)      ## Check style, types and the import contract.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED)    ## Put the code in its usual form.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

coverage: $(INSTALLED)  ## Write docs/coverage.md and docs/sensitive-data.md again.
	$(BIN)/python docs/generate_coverage.py
	$(BIN)/python docs/generate_sensitive_data.py

bench: $(INSTALLED)     ## Measure; one table.
	@$(BIN)/python bench/run.py $(ARGS)

clean:           ## Remove the virtual environment.
	rm -rf $(VENV)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cumulet needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python lacks venv: apt-get install python3-venv"; exit 1; }
	@echo "Installing into $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) setuptools
	@$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@
