# Leeward. `make` lists what there is.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never
export PYTHONPATH := src

.DEFAULT_GOAL := help
.PHONY: help run test drill faults check bench words pins clean

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

run: $(VENV)/.base ## the lived-in demo on http://localhost:8000, sign-in links printed
	@$(BIN)/python -m leeward demo --serve

test: $(VENV)/.dev ## everything, on SQLite and on PostgreSQL, long series by sample
	@./setup.sh browser
	@$(BIN)/python -m pytest -m "not drill and not faults" -n 2 --dist loadfile
	@LEEWARD_TEST_DB=postgres $(BIN)/python -m pytest -m "not drill and not faults" -n 2 --dist loadfile tests/domain tests/jobs tests/journeys

drill: $(VENV)/.dev ## the long series
	@./setup.sh browser
	@$(BIN)/python -m pytest -m "drill and not faults"

faults: $(VENV)/.dev ## several processes killed and cut off; on a quiet machine
	@$(BIN)/python -m pytest -m faults

check: $(VENV)/.dev ## lint, types, floors, templates, migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy src/leeward
	@$(BIN)/lint-imports
	@$(BIN)/djlint --profile jinja --lint src/leeward/web/templates
	@LEEWARD_HOME=var/check $(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/vulture src/leeward --min-confidence 80

bench: $(VENV)/.dev ## measure, with the floors beside
	@$(BIN)/python -m benchmarks

words: $(VENV)/.base ## gather what pages and letters say into src/leeward/web/locale/messages.pot, for translators
	@mkdir -p src/leeward/web/locale
	@$(BIN)/pybabel -q extract -F pyproject.toml --project=Leeward --no-wrap -o src/leeward/web/locale/messages.pot src/leeward

pins: ## pin requirements anew, hashed, without addresses
	@for set in setup base dev; do $(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header requirements/$$set.in -o requirements/$$set.txt; done

$(VENV)/.setup: requirements/setup.txt
	@./setup.sh venv

$(VENV)/.base: $(VENV)/.setup requirements/base.txt
	@./setup.sh packages base

$(VENV)/.dev: $(VENV)/.setup requirements/base.txt requirements/dev.txt
	@./setup.sh packages dev
