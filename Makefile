# make demo   three photographs to latents and back, with the small checkpoint of this repository
# make test   all tests
# make fuzz-smoke   20,000 made-up files for each reader of files (Tests/Fuzz/run makes more)
# make docs   the Swift documentation, into .build/docs; a warning is an error
# make lint   style and mistakes, without changing anything
# make clean  away with everything that these make
#
# Each sets up what it needs: Debian packages, a virtual environment in .venv, Swift's build in
# .build. Only Swift 6.3 and Python 3.10 or newer must be there.

SHELL := /bin/bash -euo pipefail
.DELETE_ON_ERROR:

ROOT := $(CURDIR)
VENV := .venv
PYTHON := $(VENV)/bin/python

# Where setup.py looks, with the usual folder for those who have it outside of PATH.
export PATH := $(PATH):/opt/swift/usr/bin:/usr/local/swift/usr/bin:$(HOME)/.local/share/swiftly/bin

# What goes into the Python module.
SOURCES := Package.swift setup.py pyproject.toml MANIFEST.in \
	$(shell find Sources python/gpi_pack -type f 2>/dev/null)

# Swift's tests, and the libtorch that they load, use the Python of the virtual environment.
USE_VENV := VIRTUAL_ENV=$(ROOT)/$(VENV) GPI_TEST_PYTHON=$(ROOT)/$(PYTHON)

.PHONY: demo test test-swift test-python fuzz-smoke docs lint clean

demo: $(VENV)/installed
	$(PYTHON) python/demo.py

test: test-swift test-python

test-swift: $(VENV)/requirements
	$(USE_VENV) swift test

test-python: $(VENV)/installed
	$(USE_VENV) $(PYTHON) -m pytest Tests/parity Tests/c Tests/package Tests/benchmarks

# libpng and the like have to be there, which .venv/created sees to.
fuzz-smoke: $(VENV)/created
	Tests/Fuzz/run --inputs 20000

docs: $(VENV)/created
	.ci/docs

lint: $(VENV)/requirements
	swift format lint --strict --recursive Sources Tests Package.swift
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

clean:
	rm -rf .build $(VENV) build dist demo-output python/*.egg-info .pytest_cache .ruff_cache

# Stamps in the virtual environment say what was done to it, so that nothing is done twice.

$(VENV)/created: .ci/find-python .ci/system-packages
	python=$$(.ci/find-python); \
	.ci/system-packages "$$python"; \
	"$$python" -m venv --clear $(VENV)
	touch $@

# torch goes first, so that what needs it takes this one.
$(VENV)/requirements: $(VENV)/created Tests/requirements.txt
	$(PYTHON) -m pip install --quiet --disable-pip-version-check "torch==2.13.*"
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
	touch $@

$(VENV)/installed: $(VENV)/requirements $(SOURCES)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps .
	touch $@
