# Everything sets itself up: a virtual environment in .venv, made once, and again when
# pyproject.toml, constraints.txt or this file changes.
#
#   TORCH=…        another build of torch                      (torch==2.13.0)
#   PYTHON=…       the Python 3.11 or newer to begin with      (python3)
#   MODULE=…       a function or a module for `make quick`     (none)
#   BROWSER=none   `make lessons` prints its URL and opens no browser
#   ARGS=…         options for `make train`, such as ARGS="--seed 1 --attention arm",
#                  for `make bench`, such as ARGS="conv3x3 arm32",
#                  or for `make gpu`, such as ARGS="--minutes 9" or ARGS="--parts steps tests"

PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PYTEST := $(BIN)/python -m pytest
JOBS := -n auto --maxprocesses 4 --dist worksteal
.DEFAULT_GOAL := help
.PHONY: help lessons test quick train bench check checks lint thorough coverage mutation notebooks site graded gpu emulated clean

# `make gpu` is for a machine that may have no network: where $(PYTHON) has what it needs, it runs
# with that, makes no environment and installs nothing.
ifneq ($(filter gpu,$(MAKECMDGOALS)),)
ASK_CUPY := $(PYTHON) -c "import cupy, torch, array_api_compat"
HAS_CUPY := $(shell $(ASK_CUPY) 2>/dev/null && echo yes)
ifeq ($(HAS_CUPY),)
$(info not with $(PYTHON), "$(shell $(ASK_CUPY) 2>&1 | tail -n 1)", but with $(VENV), which needs \
  a network once: a wheel on PYTHONPATH helps as well)
endif
endif

help:  ## print these lines
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

lessons: $(VENV)/ready  ## open JupyterLab on the lessons
	@$(BIN)/armlab lessons $(if $(filter none,$(BROWSER)),--no-browser)

test: $(VENV)/ready  ## all tests but the long ones; on CuPy too, on a GPU if there is one
	$(PYTEST) $(JOBS) -m "not lessons and not browser and not thorough"

quick: $(VENV)/ready  ## the tests of one function or module, in seconds: make quick MODULE=SimAM
	@test -n "$(MODULE)" || { echo "expected a module: make quick MODULE=SimAM"; exit 2; }
	$(PYTEST) tests/check tests/hand tests/cost -m "not thorough" --module $(MODULE)

train: $(VENV)/ready  ## the toy training by hand, without attention and with ARM
	@$(BIN)/armlab train $(ARGS)

bench: $(VENV)/ready  ## the time by hand next to PyTorch's, at one thread and at two
	@$(BIN)/armlab bench $(ARGS) --threads 1 2

check: test checks  ## everything that has to hold before a change lands

checks: lint  ## what `make check` adds to `make test`
	$(BIN)/python lessons/notebooks.py --check
	$(PYTEST) -m "lessons or browser"

lint: $(VENV)/dev  ## ruff, mypy and clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --python-version 3.13
	$(BIN)/clang-format --dry-run --Werror armlab/emulator/device/* armlab/emulator/include/*.h \
	  armlab/hand/kernels/cuda/*.cu*

thorough: $(VENV)/ready  ## 5,000 examples of each property, and the tests that take minutes
	HYPOTHESIS_PROFILE=thorough $(PYTEST) $(JOBS) -m "not lessons and not browser"

coverage: $(VENV)/ready  ## every branch of armlab/hand is taken by the tests that need no examples
	$(BIN)/coverage run -m pytest -q tests/check/test_adjoint.py tests/hand
	$(BIN)/coverage report

mutation: $(VENV)/dev  ## small changes all over armlab/hand, each of which a test should notice: two hours
	HYPOTHESIS_PROFILE=mutation OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/mutmut run
	$(BIN)/mutmut results

notebooks: $(VENV)/ready  ## write lessons/*.ipynb from lessons/*.py
	$(BIN)/python lessons/notebooks.py

site: $(VENV)/ready  ## the lessons, executed, as a site in site/ that reads offline, and as a PDF
	@cd lessons && ../$(BIN)/python -m website

graded: $(VENV)/ready  ## how long the grader takes for each exercise, answered right and wrong
	@$(BIN)/python tests/lessons/seconds.py $(ARGS)

gpu: $(if $(HAS_CUPY),,$(VENV)/ready)  ## all that a card can show; writes gpu-report.md
	$(if $(HAS_CUPY),$(PYTHON),$(BIN)/python) -m armlab.report.gpu_report $(ARGS)

emulated: $(VENV)/ready  ## the same, less of it, without a GPU; writes emulated-report.md
	$(BIN)/python -m armlab.report.gpu_report --device emulated $(ARGS)

clean:  ## remove the environment, runs, the site and caches
	rm -rf $(VENV) runs build site mutants .coverage *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# torch first, so that a build that pip is pointed to is used and the rest finds it there;
# pytorchcv without its dependencies, as it runs with torch alone but asks for torchvision.
$(VENV)/ready: pyproject.toml constraints.txt Makefile
	@echo "setting up $(VENV), once"
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) "$(TORCH)"
	$(INSTALL) --no-deps pytorchcv==0.0.74
	$(INSTALL) --editable ".[train,lessons,test]"
	@if nvidia-smi >/dev/null 2>&1; then \
	  $(BIN)/python -c "import cupy; cupy.zeros(1) + 1" 2>/dev/null || $(INSTALL) --editable ".[gpu]"; fi
	@touch $@

$(VENV)/dev: $(VENV)/ready
	$(INSTALL) --editable ".[dev]"
	@touch $@
