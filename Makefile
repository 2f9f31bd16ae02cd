# The two commands of the README: `make demo` and `make test`. Each brings all that it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
PY := .venv/bin/python
READY := .venv/.ready
CLUSTER ?= perennial
# An existing cluster is used only when the command says so: `make demo KUBECONFIG=...`.
ifeq ($(origin KUBECONFIG),command line)
export PERENNIAL_KUBECONFIG := $(abspath $(KUBECONFIG))
endif

.PHONY: help venv lock crds lint test demo images cluster-up cluster-down

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(READY): pyproject.toml requirements/dev.txt
	@echo "==> Python environment in .venv (1 to 3 minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Say make PYTHON=..."; exit 1; }
	@test -x .venv/bin/uv || { $(PYTHON) -m venv .venv && .venv/bin/pip install --quiet "uv>=0.9,<1"; }
	.venv/bin/uv pip sync --require-hashes requirements/dev.txt
	.venv/bin/uv pip install --no-deps --editable .
	@touch $@

venv: $(READY) ## The Python environment in .venv, from the locked requirements

UV_COMPILE = .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--python-version 3.11 --custom-compile-command "make lock" pyproject.toml
lock: ## Resolve requirements/*.txt anew
	@test -x .venv/bin/uv || { $(PYTHON) -m venv .venv && .venv/bin/pip install --quiet "uv>=0.9,<1"; }
	$(UV_COMPILE) --all-extras -o requirements/dev.txt
	$(UV_COMPILE) --extra runtime -c requirements/dev.txt -o requirements/runtime.txt
	$(UV_COMPILE) --extra operator -c requirements/dev.txt -o requirements/operator.txt
