# Set-up and checks of latentloom. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
# Extra words for the command that a target runs: make test ARGS="-k donor"
ARGS ?=

# The first interpreter that really runs, is 3.11 to 3.13 and can make virtual environments.
PYTHONS := python3.11 python3.12 python3.13 python3 python
PROBE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for python in $(PYTHONS); do \
	"$$python" -c "$(PROBE)" >/dev/null 2>&1 && { echo "$$python"; break; }; done)

# Left out of `make test`, each for what it needs: time, an engine, a GPU. Tests marked `data` skip
# themselves unless LATENTLOOM_DATA names the folder of the data sets.
ENGINE := flink or prism or spark
QUICK := not (slow or gpu or $(ENGINE))
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest
# A file stays on one worker, for its fixtures. Files keep the order of tests/conftest.py.
SPREAD := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# What asks the backend. Measures of disentanglement are NumPy alone.
ON_JAX := tests/model_zoo tests/pipeline/codec tests/pipeline/api/test_latent_augmentation.py \
	--ignore tests/model_zoo/metrics/disentanglement

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: set-up
set-up: $(STAMP) ## Create .venv and install the locked packages and this one

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "No usable Python found." \
		"Expected: Python 3.11, 3.12 or 3.13 with the venv module." \
		"Received: none of $(PYTHONS) on PATH." \
		"Install one (on Debian and Ubuntu also python3-venv), or name it: make PYTHON=/path/to/python." >&2; exit 1; }
	@"$(PYTHON)" -c "$(PROBE)" || { echo "The Python for this set-up cannot be used." \
		"Expected: Python 3.11, 3.12 or 3.13 with the venv module." \
		"Received: PYTHON=$(PYTHON)." \
		"Name another: make PYTHON=/path/to/python." >&2; exit 1; }
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.PHONY: demo
demo: $(STAMP) ## Set up, then run the whole pipeline on built-in images
	$(BIN)/latentloom demo $(ARGS)

.PHONY: test
test: test-tensorflow test-jax ## Run the quick tests on two workers, those that ask the backend on JAX too

.PHONY: test-tensorflow
test-tensorflow: $(STAMP) ## Run the quick tests on TensorFlow
	$(PYTEST) $(SPREAD) -m "$(QUICK)" $(ARGS)

# Of some chosen tests, none may ask the backend: then pytest exits 5.
.PHONY: test-jax
test-jax: $(STAMP) ## Run the quick tests that ask the backend on JAX
	KERAS_BACKEND=jax $(PYTEST) $(SPREAD) -m "$(QUICK)" $(ON_JAX) $(ARGS) \
		$(if $(ARGS),|| test $$? -eq 5)

.PHONY: test-slow
test-slow: $(STAMP) ## Run the tests that train
	$(PYTEST) $(SPREAD) -m "slow and not (gpu or $(ENGINE))" $(ARGS)

ENGINES := build/engines

# Each is left out, and said to be, where what it is made with is missing.
.PHONY: engines
engines: $(STAMP) ## Fetch Flink and Spark with Maven and build Prism with Go, for the tests on them
	@mkdir -p $(ENGINES)
	@for name in flink spark; do \
		if command -v java >/dev/null && command -v mvn >/dev/null; then \
			$(BIN)/python tests/pipeline/engines/$$name.py fetch $(ENGINES)/$$name \
				|| echo "$$name is left out: Maven could not fetch it."; \
		else echo "$$name is left out: it needs java and mvn."; fi; \
	done
	@version=$$($(BIN)/python -c "from importlib.metadata import version; print(version('apache-beam'))"); \
	if test -x $(ENGINES)/prism; then :; elif command -v go >/dev/null; then \
		GOBIN="$$PWD/$(ENGINES)" go install github.com/apache/beam/sdks/v2/go/cmd/prism@v$$version \
			|| echo "prism is left out: Go could not build it."; \
	else echo "prism is left out: it needs go."; fi

# `ARGS="-m flink"` also kills a machine at twenty random moments.
.PHONY: test-engines
test-engines: engines ## Run the tests on Flink, Spark and Prism
	$(PYTEST) -n $(WORKERS) --dist loadgroup -m "($(ENGINE)) and not slow" \
		tests/pipeline/generation/test_engines.py $(ARGS)

# One alone: make bench BENCHMARKS=generate_throughput ARGS="--variants 4"
BENCHMARKS ?= compare_builds compare_training long_epoch import_speed load_speed read_speed split_memory generate_throughput \
	generate_memory generate_engines group_sampler keras_layer python_face train_step

.PHONY: bench
bench: $(STAMP) ## Run the benchmarks of speed and memory, one at a time; JSON in build/benchmarks
	@mkdir -p build/benchmarks
	for name in $(BENCHMARKS); do \
		$(BIN)/python tests/benchmarks/$$name.py --out build/benchmarks/$$name.json $(ARGS); \
	done

# Each script makes an environment of its own from the package index; what it says is in build/findings.
.PHONY: findings
findings: ## Run the findings: which behaviours of libraries hold, which have changed
	@mkdir -p build/findings; changed=0; \
	for script in findings/*.sh; do \
		name=$$(basename $$script .sh); \
		if bash $$script >build/findings/$$name.log 2>&1; then echo "holds: $$name"; \
		else echo "changed: $$name (build/findings/$$name.log)"; changed=1; fi; \
	done; exit $$changed

.PHONY: lint
lint: $(STAMP) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(STAMP) ## Check types
	$(BIN)/pyright --pythonpath $(BIN)/python

.PHONY: contracts
contracts: $(STAMP) ## Check which package may import which
	$(BIN)/lint-imports

.PHONY: check
check: lint types contracts ## Run lint, types and contracts

# 1 is a finding; 3 says that the data on vulnerabilities are out of reach.
.PHONY: audit
audit: $(STAMP) ## Check licences and known vulnerabilities of the locked packages
	$(BIN)/python tests/supply_chain/audit.py

.PHONY: lock
lock: ## Resolve requirements.lock anew (needs a set-up .venv)
	$(BIN)/uv pip compile --universal --generate-hashes --extra dev --upgrade --quiet \
		--no-emit-index-url --no-emit-find-links --annotation-style line \
		--custom-compile-command "make lock" -o requirements.lock pyproject.toml

.PHONY: clean
clean: ## Remove .venv, caches and build leftovers
	rm -rf $(VENV) build dist *.egg-info .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find augment model_zoo pipeline tests -type d -name __pycache__ -prune -exec rm -rf {} +
