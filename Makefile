# GateHub's commands.  `make` alone lists them.

SHELL := /bin/sh
# The system's own before others: Debian compiles it with profiles, pyenv does not, and pages take a sixth longer there.
# The first that can make virtualenvs, or else the first.
PYTHON ?= $(shell first=; for name in /usr/bin/python3.11 python3.11 python3.12 python3.13 python3; do \
		found=$$(command -v $$name) || continue; first=$${first:-$$found}; \
		$$found -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
			&& first=$$found && break; \
	done; echo $$first)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest
LOCK := $(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header
CLIENT_LOCKS := $(patsubst %.in,%.txt,$(wildcard tests/clients/requirements-*.in))
# Checks need a data folder to look at, and must not look at the operator's.
CHECK_ENV := GATEHUB_DATA_DIR=.cache/check
PRODUCTION_ENV := $(CHECK_ENV) GATEHUB_PUBLIC_URL=https://hub.example.org GATEHUB_BEHIND_PROXY=1 \
	GATEHUB_DATABASE_URL=postgres://gatehub@127.0.0.1/gatehub GATEHUB_REDIS_URL=redis://127.0.0.1:6379/0 \
	GATEHUB_EMAIL_URL=smtp://127.0.0.1:25 \
	GATEHUB_SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')"
# ARGS goes to pytest, or to uv: make test ARGS="-k gate", make lock ARGS=--upgrade.
ARGS ?=

.PHONY: help up test check fix lock clients clean install dev git-lfs

help:  ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

up: install  ## Set up what is missing and run web, worker and beat until Ctrl-C
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python manage.py up

test: dev git-lfs clients  ## Run all tests; ARGS="-k gate" chooses
	$(PYTEST) -n 3 --dist worksteal $(ARGS) || test $$? -eq 5
	@# Locks and other promises of PostgreSQL, once more on the real one.  5: none of those chosen is of this kind.
	$(BIN)/python -m tests.support.postgresql $(PYTEST) -n 3 --dist worksteal -m postgresql $(ARGS) || test $$? -eq 5

check: dev  ## Lint, format, types, layers, templates, migrations, deployment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(CHECK_ENV) $(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(CHECK_ENV) $(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION_ENV) $(BIN)/python manage.py check --deploy --fail-level WARNING

fix: dev  ## Repair what the linters can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: dev  ## Lock the requirements again after a change; ARGS=--upgrade takes the newest
	$(LOCK) $(ARGS) pyproject.toml -o requirements.txt
	$(LOCK) $(ARGS) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	for lock in $(CLIENT_LOCKS); do $(LOCK) $(ARGS) "$${lock%.txt}.in" -o "$$lock" || exit; done

clients: dev  ## Build the virtualenvs of the client matrix, in .cache/clients
	$(BIN)/python -m tests.support.clients

clean:  ## Remove all that can be made again; the data in var/ stay
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- What the commands stand on ---

install: $(VENV)/installed
dev: $(VENV)/installed-dev

$(VENV)/installed: requirements.txt | $(VENV)/created
	@echo "Installing GateHub's packages into $(VENV), once ..."
	@$(PIP) install --require-hashes -r requirements.txt
	@touch $@

# requirements-dev.txt holds those of requirements.txt, too.
$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

# Debian's Python comes without ensurepip, which makes virtualenvs; python3-venv brings it.
$(VENV)/created:
	@if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then \
		echo "GateHub needs Python 3.11, 3.12 or 3.13. PYTHON=/path/to/python makes make use that one." >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
			echo "$(PYTHON) cannot make virtualenvs. On Debian: apt-get install python3-venv, as root." >&2; exit 1; fi; \
		echo "Installing Debian's python3-venv ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null || exit; fi
	@$(PYTHON) -m venv $(VENV)
	@touch $@

git-lfs:
	@command -v git-lfs >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq git-lfs >/dev/null; \
	else echo "git-lfs is not installed: its tests will be skipped."; fi
