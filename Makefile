# The two commands that matter: `make lab` opens the course, `make test` tests it.
# Each sets everything up first, on a machine with nothing installed.
SHELL := /bin/sh
VENV ?= .venv
PY := $(VENV)/bin/python
PORT ?= 8888
NOTEBOOK ?= notebooks/00_welcome.ipynb

# JupyterLab refuses to run as root unless told; containers and hosted machines are often root.
ROOT_FLAG := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
# Without a screen there is no browser to open: the address with its token is printed instead.
BROWSER_FLAG := $(shell [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ] || echo --no-browser)

.DEFAULT_GOAL := help
.PHONY: help lab setup build lesson outputs check test test-full bench grade-self lock clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 14

setup:  ## make .venv with every package at its locked version
	@VENV=$(VENV) sh scripts/setup.sh

lab: setup  ## open the course in JupyterLab (LAB_FLAGS=--no-browser prints the address only)
	@PATH="$(abspath $(VENV))/bin:$$PATH" $(PY) -m jupyterlab --ip=127.0.0.1 --port=$(PORT) --log-level=WARN $(ROOT_FLAG) $(BROWSER_FLAG) \
		--ServerApp.root_dir=. --LabApp.default_url=/lab/tree/$(NOTEBOOK) --LabApp.extension_manager=readonly $(LAB_FLAGS)

build: setup  ## generate learner and solution notebooks from notebooks/source
	$(PY) notebooks/build.py

lesson: setup  ## begin a lesson: make lesson NAME=05_topic
	$(PY) notebooks/new_lesson.py "$(NAME)"

outputs: setup  ## write down what a lesson prints in every run: make outputs NAME=05_topic
	$(PY) tests/notebook_nbval.py "notebooks/solutions/$(NAME).ipynb" --renew

check: setup  ## style, types, generated files
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) notebooks/build.py --check

test: check  ## everything that CI runs
	$(PY) -m pytest -m "not full" $(PYTEST_FLAGS)

test-full: check  ## also the laptop-profile notebooks and the learning claims
	$(PY) -m pytest $(PYTEST_FLAGS)

bench: setup  ## measure speed beside the peers (NAMES="update tabular" for some of it)
	$(PY) -m benchmarks $(NAMES) $(BENCH_FLAGS)

grade-self: setup  ## grade your own notebooks as the class grader would (GRADE_FLAGS="--notebook 01" for one)
	$(PY) -m course_lib.grading notebooks --mine --seed public --out results/grade-self $(GRADE_FLAGS)

lock: setup  ## resolve all packages afresh: requirements.lock and environment.yml
	$(PY) scripts/lock.py $(LOCK_FLAGS)

clean:  ## remove the environment, results and caches
	rm -rf $(VENV) results build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
