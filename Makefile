# Python 3.11+ and make are enough; uv is used where it is on the PATH.
# Another environment than .venv: make test VENV=/some/folder

VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
IS_RECENT := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$name $(IS_RECENT) 2>/dev/null && echo $$name && break; done)

# PyPI's own torch brings several GB of CUDA on Linux; this index has the CPU build:
#   make test-all PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
TORCH ?= torch==2.13.0
# After torch, which accelerate would otherwise bring with CUDA.
TRAINING ?= "transformers>=5" "accelerate>=1.10" "peft>=0.18" "trl>=0.26"

# What needs neither torch, nor a database, nor a browser, nor a cluster.
LIGHT := not train and not postgres and not langgraph_dev and not ray and not browser and not fuzz

# The embedded model is small: more threads than one make it slower, not faster.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
export LANGSMITH_TRACING = false

DEMO_QUESTION ?= Kim has 7 more cups than Max. Ivan has 3 more cups than Zoe. Max has 12 more cups than Ivan. Rosa has 7 cups. Zoe has 6 fewer cups than Rosa. How many cups does Kim have?

ifneq ($(UV),)
install = UV_PROJECT_ENVIRONMENT=$(abspath $(VENV)) $(UV) sync --quiet --frozen --inexact --compile-bytecode \
	--no-default-groups $(1:%=--group %)
else
install = $(BIN)/python -m pip install --quiet "pip>=25.1" && \
	$(BIN)/python -m pip install --quiet --editable . $(1:%=--group %)
endif

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-floors lint bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.has-base ## set everything up and ask the embedded model a question
	$(BIN)/adaptive-reasoner ask "$(DEMO_QUESTION)" --show-thoughts

test: $(VENV)/.has-test ## set everything up and run the tests that need no torch and no database
	$(BIN)/python -m pytest -m "$(LIGHT)" $(PYTEST_OPTIONS)

test-all: $(VENV)/.has-all ## run every test, with torch, Postgres, the providers' packages and LangGraph's server
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

test-floors: ## run the tests on the oldest releases that pyproject.toml allows (needs uv)
	@test -n "$(UV)" || { echo "make test-floors needs uv: pip install uv" >&2; exit 2; }
	$(UV) venv --quiet --clear $(VENV)-floors
	$(UV) pip install --quiet --python $(VENV)-floors/bin/python --resolution lowest-direct --editable . --group test
	$(VENV)-floors/bin/python -m pytest -m "$(LIGHT)" $(PYTEST_OPTIONS)

lint: $(VENV)/.has-all $(VENV)/.has-lint ## ruff and pyright (which reads torch's types)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: ## list the benchmarks' commands; each prints a table and writes JSON to benchmarks/results
	@for file in benchmarks/*.py; do echo "$(BIN)/python $$file"; done

clean: ## remove the environments that make created here
	rm -rf .venv .venv-floors

$(BIN)/python:
ifneq ($(UV),)
	$(UV) venv --quiet --allow-existing $(VENV)
else
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
endif

$(VENV)/.has-base: pyproject.toml | $(BIN)/python
	$(call install,)
	@touch $@

$(VENV)/.has-test: pyproject.toml | $(BIN)/python
	$(call install,test)
	@touch $@

$(VENV)/.has-lint: pyproject.toml | $(BIN)/python
	$(call install,lint)
	@touch $@

$(VENV)/.has-all: pyproject.toml | $(BIN)/python
	$(call install,test postgres providers server-tests)
	$(BIN)/python -c "import pip" 2>/dev/null || $(BIN)/python -m ensurepip
	$(BIN)/python -c "import torch" 2>/dev/null || $(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -c "import transformers, accelerate, peft, trl" 2>/dev/null || $(BIN)/python -m pip install --quiet $(TRAINING)
	@touch $@
