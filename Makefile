# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# One command each for trying, testing and looking around. Everything is set up on first use, in
# .sandbox/. Where a ROS 2 is sourced, that ROS is used; else the sandbox's Humble and Jazzy.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-references unit lint format shell build setup lock clean

TOOLS := tools/sandbox
DISTRO ?= $(or $(if $(JETSON_INFER_SANDBOX),$(JETSON_INFER_SANDBOX),$(ROS_DISTRO)),jazzy)
OUT ?= out/demo
DURATION ?=
CMD ?=
STAGES ?=
# The distribution that was asked for by name; empty: all.
ONLY := $(if $(filter command line environment,$(origin DISTRO)),$(DISTRO))
export PYTHON
unexport CMD

help:  ## show this
	@echo "usage: make TARGET [VARIABLE=VALUE ...]"
	@echo
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 19
	@echo
	@echo "  DISTRO=humble|jazzy   which ROS 2 (here: $(DISTRO)); test: only that one"
	@echo "  CMD='ros2 topic list' shell: run this instead of opening one"
	@echo "  DURATION=20 OUT=dir   demo: stop after seconds; where to (here: $(OUT))"
	@echo "  STAGES='lint unit'    test: some of: lint unit oldest ros launch demo"
	@echo "  PYTHON=path           setup: the Python 3.12 to use"

demo: setup  ## play a robot's recording through a detector, and report
	@$(TOOLS)/build.sh $(DISTRO)
	@$(TOOLS)/ros_env.sh $(DISTRO) -- jetson-infer demo --out $(OUT) $(if $(DURATION),--duration $(DURATION))

test: setup-tests  ## lint, unit tests, ROS tests and a short demo, on every ROS
	@$(TOOLS)/build.sh $(ONLY)
	@$(TOOLS)/test.sh "$(ONLY)" $(STAGES)

test-references:  ## decoding against real exporters (says what it needs)
	@$(TOOLS)/references.sh "$(REFERENCE_PYTHON)"

unit: setup-unit  ## the unit tests alone
	@$(TOOLS)/test.sh "" unit

lint: setup  ## ruff, mypy, codespell
	@$(TOOLS)/test.sh "" lint

format: setup  ## let ruff rewrite the sources
	@$(TOOLS)/venv.sh ruff check --fix --quiet . && $(TOOLS)/venv.sh ruff format .

shell: setup  ## a shell with ros2 and jetson-infer
	@$(TOOLS)/build.sh $(DISTRO)
	@$(TOOLS)/shell.sh "$(DISTRO)" $(if $(value CMD),'$(subst ','\'',$(value CMD))')

build: setup  ## build with colcon
	@$(TOOLS)/build.sh

setup:  ## set up the environment
	@$(TOOLS)/setup.sh

setup-unit:
	@$(TOOLS)/setup.sh --for-unit
setup-tests:
	@$(TOOLS)/setup.sh --for-tests
.PHONY: setup-unit setup-tests

lock:  ## write requirements/*.txt from requirements/*.in (needs uv)
	@$(TOOLS)/lock.sh

clean:  ## remove .sandbox and what demos left in out/
	rm -rf .sandbox out

