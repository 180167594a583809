# Thin calls of course.py, which does the same without make: `python course.py lab`.
# The two that matter: `make lab` opens the course, `make test` tests it.
SHELL := /bin/sh
VENV ?= .venv
PORT ?= 8888
NOTEBOOK ?= notebooks/00_welcome.ipynb
export VENV PORT NOTEBOOK NAME
# What other programs put onto Python's path would hide packages of the course, or stop it.
unexport PYTHONPATH PYTHONHOME

# Any Python from 3.8 on can run course.py, which then finds or fetches the one that the course needs. A
# candidate counts only if it runs: a pyenv shim for a version that is not switched on does not.
define FIND
for one in "$$PYTHON" python3.12 python3.13 python3 python python3.11 python3.10 python3.9 \
    "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.*/bin/python \
    "$$(eval echo ~$$(id -un))"/.pyenv/versions/3.*/bin/python \
    ~/.local/share/uv/python/*/bin/python ~/miniforge3/bin/python ~/miniconda3/bin/python; do \
    [ -n "$$one" ] && "$$one" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1 && break; \
    one=; \
done; \
if [ -z "$$one" ] && command -v uv >/dev/null; then one=$$(uv python find 2>/dev/null || uv python install -q 3.12 && uv python find 3.12); fi; \
[ -n "$$one" ] || { echo "error: no Python runs here. Get one (sudo apt install python3-venv | brew install python@3.12 | python.org), then run the same command again." >&2; exit 1; }; \
exec "$$one" course.py
endef
COURSE = @$(FIND)

.DEFAULT_GOAL := help
.PHONY: help setup lab build format lesson outputs previews check test test-all test-full bench grade-self wheelhouse lock clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 14

setup:  ## make .venv with every package at its locked version
	$(COURSE) setup

lab:  ## open the course in JupyterLab (LAB_FLAGS=--no-browser prints the address only)
	$(COURSE) lab --port="$$PORT" --notebook="$$NOTEBOOK" $(LAB_FLAGS)

build:  ## generate learner and solution notebooks from notebooks/source
	$(COURSE) build

format:  ## mend style where ruff can, then build
	$(COURSE) format

lesson:  ## begin a lesson: make lesson NAME=05_topic
	$(COURSE) lesson "$$NAME"

outputs:  ## write down what a lesson prints in every run: make outputs NAME=05_topic
	$(COURSE) outputs "$$NAME"

previews:  ## keep what the solutions show, for those who browse: make previews [NAME=05_topic]
	$(COURSE) previews $$NAME

check:  ## style, types, generated files
	$(COURSE) check

test:  ## check, then the quick tests
	$(COURSE) test $(PYTEST_FLAGS)

test-all:  ## the slow tests, which `make test` leaves out
	$(COURSE) test-all $(PYTEST_FLAGS)

test-full: ## everything, with the laptop-profile notebooks and the learning claims
	$(COURSE) test-full $(PYTEST_FLAGS)

bench:  ## measure speed beside the peers (NAMES="update tabular" for some of it)
	$(COURSE) bench $(NAMES) $(BENCH_FLAGS)

grade-self:  ## grade your own notebooks as the class grader would (GRADE_FLAGS="--notebook 01" for one)
	$(COURSE) grade-self $(GRADE_FLAGS)

wheelhouse:  ## download every package into wheelhouse/, to set up without a network
	$(COURSE) wheelhouse

lock:  ## resolve all packages afresh: requirements.lock and environment.yml
	$(COURSE) lock $(LOCK_FLAGS)

clean:  ## remove the environment, results and caches
	$(COURSE) clean
