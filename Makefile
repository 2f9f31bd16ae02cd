# The two commands of the README: `make demo` and `make test`. Each installs its requirements.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
PY := .venv/bin/python
READY := .venv/.ready
CLUSTER ?= perennial
# Processes that run the tests. Half of them begin with the tests on the cluster, which mostly wait.
PROCESSES ?= 4
# Number of examples in tests of properties: short or long.
PROFILE ?= short
# Number of months after January that the demo simulates.
MONTHS ?= 11
# An existing cluster is used only on request: `make demo KUBECONFIG=...`.
ifeq ($(origin KUBECONFIG),command line)
export PERENNIAL_KUBECONFIG := $(abspath $(KUBECONFIG))
endif

.PHONY: help venv lock crds lint test demo images install cluster-up cluster-down

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

FRONT := $(wildcard runtime/front/src/*.rs) runtime/front/Cargo.toml runtime/front/Cargo.lock
$(READY): pyproject.toml requirements/dev.txt $(FRONT)
	@echo "==> Python environment in .venv (1 to 3 minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Fix: make PYTHON=..."; exit 1; }
	@test -x .venv/bin/uv || { $(PYTHON) -m venv .venv && .venv/bin/pip install --quiet "uv>=0.9,<1"; }
	.venv/bin/uv pip sync --compile-bytecode --require-hashes requirements/dev.txt
	.venv/bin/uv pip install --no-deps --editable .
	$(PY) -m perennial_images front
	@touch $@

venv: $(READY) ## Create the Python environment in .venv from the locked requirements

UV_COMPILE = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--python-version 3.11 --custom-compile-command "make lock" pyproject.toml
# TensorFlow and PyTorch are too large for this environment; their tests create their own.
DEV_EXTRAS = operator runtime portable hf trainer demo dev
lock: ## Update requirements/*.txt
	@test -x .venv/bin/uv || { $(PYTHON) -m venv .venv && .venv/bin/pip install --quiet "uv>=0.9,<1"; }
	$(UV_COMPILE) $(DEV_EXTRAS:%=--extra %) -o requirements/dev.txt
	$(UV_COMPILE) --extra runtime -c requirements/dev.txt -o requirements/runtime.txt
	$(UV_COMPILE) --extra operator -c requirements/dev.txt -o requirements/operator.txt
	$(UV_COMPILE) --extra trainer -c requirements/dev.txt -o requirements/trainer.txt
	$(UV_COMPILE) --extra trainer-tf -c requirements/trainer.txt -o requirements/trainer-tf.txt
	$(UV_COMPILE) --extra trainer-torch --excludes requirements/without-cuda.txt \
		-c requirements/trainer.txt -o requirements/trainer-torch.txt

crds: $(READY) ## Generate crds/ from the contracts
	$(PY) -m perennial_contracts.api.crd crds

lint: $(READY) ## Check format, lint, types, import rules, CRDs, settings, forbidden words
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo 2>/dev/null || .venv/bin/lint-imports
	$(PY) -m perennial_contracts.api.crd crds --check
	$(PY) hack/settings_docs.py --check
	$(PY) hack/words.py --check

images: $(READY) ## Build the images: runtime, operator, and an S3 server for the demo
	$(PY) -m perennial_images build

cluster-up: $(READY) ## Start a cluster: KUBECONFIG=..., else kind, else a local node
	$(PY) -m perennial_cluster up --name $(CLUSTER)

cluster-down: $(READY) ## Delete the cluster and everything that belongs to it
	$(PY) -m perennial_cluster down --name $(CLUSTER)

install: cluster-up images ## Install the operator and an S3 server on the cluster
	$(PY) -m perennial_cluster.install --name $(CLUSTER)

demo: install ## Show a model's year on real data in ten minutes (MONTHS=3 for less)
	PYTHONPATH=examples/flights $(PY) -m flights_demo --cluster $(CLUSTER) --months $(MONTHS)

# The tests start their own cluster, perennial-test, and keep it for the next run.
test: lint ## Run all tests, on a real cluster
	.venv/bin/pytest -n $(PROCESSES) --hypothesis-profile=$(PROFILE) --durations=15 $(ARGS)
