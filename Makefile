# The two commands of the README: `make demo` and `make test`. Each brings all that it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
PY := .venv/bin/python
READY := .venv/.ready
CLUSTER ?= perennial
# Processes that run the tests; with 2 the cluster's, which wait much, have one to themselves.
PROCESSES ?= 0
# How many months after January the demo lets go by.
MONTHS ?= 11
# An existing cluster is used only when the command says so: `make demo KUBECONFIG=...`.
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
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Say make PYTHON=..."; exit 1; }
	@test -x .venv/bin/uv || { $(PYTHON) -m venv .venv && .venv/bin/pip install --quiet "uv>=0.9,<1"; }
	.venv/bin/uv pip sync --compile-bytecode --require-hashes requirements/dev.txt
	.venv/bin/uv pip install --no-deps --editable .
	$(PY) -m perennial_images front
	@touch $@

venv: $(READY) ## The Python environment in .venv, from the locked requirements

UV_COMPILE = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--python-version 3.11 --custom-compile-command "make lock" pyproject.toml
# TensorFlow and PyTorch are too big for every environment: their tests make one of their own.
DEV_EXTRAS = operator runtime portable hf trainer demo dev
lock: ## Resolve requirements/*.txt anew
	@test -x .venv/bin/uv || { $(PYTHON) -m venv .venv && .venv/bin/pip install --quiet "uv>=0.9,<1"; }
	$(UV_COMPILE) $(DEV_EXTRAS:%=--extra %) -o requirements/dev.txt
	$(UV_COMPILE) --extra runtime -c requirements/dev.txt -o requirements/runtime.txt
	$(UV_COMPILE) --extra operator -c requirements/dev.txt -o requirements/operator.txt
	$(UV_COMPILE) --extra trainer -c requirements/dev.txt -o requirements/trainer.txt
	$(UV_COMPILE) --extra trainer-tf -c requirements/trainer.txt -o requirements/trainer-tf.txt
	$(UV_COMPILE) --extra trainer-torch --excludes requirements/without-cuda.txt \
		-c requirements/trainer.txt -o requirements/trainer-torch.txt

crds: $(READY) ## Write crds/ anew from the contracts
	$(PY) -m perennial_contracts.api.crd crds

lint: $(READY) ## Format, lint, types, import rules, CRDs in sync, forbidden words
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo 2>/dev/null || .venv/bin/lint-imports
	$(PY) -m perennial_contracts.api.crd crds --check
	$(PY) hack/words.py --check

images: $(READY) ## Build the images: runtime, operator, and an S3 server for trying out
	$(PY) -m perennial_images build

cluster-up: $(READY) ## A cluster: the one of KUBECONFIG=..., else kind, else a local node
	$(PY) -m perennial_cluster up --name $(CLUSTER)

cluster-down: $(READY) ## Remove the cluster and all that it left behind
	$(PY) -m perennial_cluster down --name $(CLUSTER)

install: cluster-up images ## Put the operator and an S3 server onto the cluster
	$(PY) -m perennial_cluster.install --name $(CLUSTER)

demo: install ## The main job on real data: a model's year in ten minutes (MONTHS=3 for less)
	PYTHONPATH=examples/flights $(PY) -m flights_demo --cluster $(CLUSTER) --months $(MONTHS)

# The tests bring up a cluster of their own, perennial-test, and leave it for the next run.
test: lint ## All tests, on a real cluster
	.venv/bin/pytest -n $(PROCESSES) $(ARGS)
