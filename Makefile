# Every target sets itself up: a machine with Python 3.11+ (and its venv module), make and git is enough.
# Paths are relative on purpose: the checkout may stand under a folder with spaces in its name.
#
#   make serve ARGS="--port 8100"      make test ARGS="-k manifest"      make setup PYTHON=python3.12

PY = .venv/bin/python
SETUP = ./scripts/setup.sh

.DEFAULT_GOAL := help
.PHONY: help setup serve test lint format bench campaign lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

setup:  ## prepare .venv for running; starts nothing
	@$(SETUP) run

serve: ## watch MONITOR_PATH (default ./data) and show it in the browser; Ctrl-C stops all
	@$(SETUP) run && exec $(PY) manage.py serve $(ARGS)

test:  ## everything that is checked before a change lands
	@exec ./scripts/test.sh $(ARGS)

lint:  ## ruff and mypy --strict
	@$(SETUP) dev && $(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy

format:  ## put the code into the agreed form
	@$(SETUP) dev && $(PY) -m ruff check --fix . && $(PY) -m ruff format .

bench:  ## the benchmarks, each against a yardstick measured in the same run
	@$(SETUP) dev && exec $(PY) -m bench $(ARGS)

campaign:  ## the tests with their full counts; takes hours
	@$(SETUP) dev && exec $(PY) -m pytest --campaign -o timeout=0 $(ARGS)

lock:  ## fit both lock files to pyproject.toml; ARGS=--upgrade takes the newest versions
	@$(SETUP) dev && exec ./scripts/lock.sh $(ARGS)

clean:  ## remove the virtual environment and the caches; never data, never .fairfolder
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
