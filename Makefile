# The two commands to know: `make up` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help up extras test test-fast lint format types layers docs generated bench soak check lock clean

VENV ?= .venv
PY := $(VENV)/bin/python
ROOMS := $(wildcard protocol runtime supervision rules indicators store venues market models strategies actors research simulation service tui)
# One more than the cores of a small machine: much of the time a test waits for a process of its own.
WORKERS ?= 3
MINUTES ?= 5
# Byte code is kept whatever the surroundings say: tests start hundreds of processes, each would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=

help: ## Show the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Each stamp is younger than what it was made from, so a second run has nothing to do.
$(VENV)/.ready-run: requirements.lock pyproject.toml .ci/setup
	@.ci/setup $(VENV) run

$(VENV)/.ready-extras: docker/requirements.lock pyproject.toml .ci/setup
	@.ci/setup $(VENV) extras

$(VENV)/.ready-dev: requirements-dev.lock pyproject.toml .ci/setup
	@.ci/setup $(VENV) dev

up: $(VENV)/.ready-run ## Start bulkhead: with the cockpit in a terminal, plain logs without one
	@$(VENV)/bin/bulkhead up

extras: $(VENV)/.ready-extras ## Add the libraries of Telegram, charts, PostgreSQL, Redis, Alpaca, IBKR and OANDA

test: $(VENV)/.ready-dev ## Run every test
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-fast: $(VENV)/.ready-dev ## Run the tests that take no whole-system run
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow"

lint: $(VENV)/.ready-dev ## Check style and formatting
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

format: $(VENV)/.ready-dev ## Rewrite the formatting and the safe style fixes
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

types: $(VENV)/.ready-dev ## Check types (mypy --strict) in every room
	@$(PY) -m mypy $(ROOMS)

layers: $(VENV)/.ready-dev ## Check that rooms import only the rooms below them
	@$(VENV)/bin/lint-imports

# Not --quiet: it drops warnings before --strict counts them.
docs: $(VENV)/.ready-dev ## Build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict

generated: $(VENV)/.ready-dev ## Write config.toml, the reference pages and the diagram from the code
	@$(PY) -m service.config
	@$(PY) -m service.cli.reference docs/reference/cli.md
	@$(PY) -m service.advice.page docs/reference/errors.md
	@$(PY) -m service.api.table.page docs/reference/api.md
	@$(PY) -m service.actor_map docs/reference/actors.md
	@$(PY) -m service.cli.state_diagram docs/assets/group-states.svg

soak: $(VENV)/.ready-dev ## Run the daemon with faults for MINUTES (5) and fail when anything grows or is lost
	@$(PY) -m benchmarks.soak --minutes $(MINUTES)

bench: $(VENV)/.ready-dev ## Measure against floors and peers
	@$(PY) -m benchmarks

check: lint types layers docs test ## Everything that must pass before a change lands

# Needs uv. The build backend and uv are locked too, so that an installation runs no unpinned code.
LOCK := uv pip compile pyproject.toml - --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header --quiet
EXTRAS := alpaca charts ibkr oanda postgres redis telegram
lock: ## Resolve the dependencies anew into the lock files: plain installation, development, extras and container, uv
	@echo 'setuptools>=77' | $(LOCK) --upgrade --output-file requirements.lock
	@echo 'setuptools>=77' | $(LOCK) --upgrade --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	@echo 'setuptools>=77' | $(LOCK) --upgrade $(EXTRAS:%=--extra %) --constraint requirements.lock --output-file docker/requirements.lock
	@echo uv | $(subst pyproject.toml ,,$(LOCK)) --upgrade --output-file .ci/uv.lock

clean: ## Remove everything that was built; trading data stays
	rm -rf $(VENV) site build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(ROOMS) tests -name __pycache__ -type d -prune -exec rm -rf {} +
