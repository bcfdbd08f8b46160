# The verbs of the house. Each makes .venv by itself the first time; `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo up unit test fmt check faults bench soak compose-test schemas lock clean browser-test

BIN := .venv/bin
READY := .venv/ready

help: ## List the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

demo: $(READY) ## Run the whole job on two fictional clusters, show what came of it, end
	@$(BIN)/python -m deploy.demo

up: $(READY) ## The same, and keep everything running until Ctrl-C
	@$(BIN)/python -m deploy.demo --keep

# T names files or folders, K what must be in a test's name, WORKERS how many processes run them (0: all in this one).
T ?= tests
# One more than there are cores: tests wait for servers now and then.
WORKERS ?= $(shell expr $$(nproc) + 1)
SELECT = $(if $(K),-k "$(K)")
PARALLEL = -n $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder

unit: $(READY) ## Run the tests that need no server, properties with a tenth of their examples (K=word)
	@$(BIN)/python -m pytest tests/unit tests/contract -q -p no:schemathesis $(PARALLEL) --hypothesis-profile=quick --durations=20 $(SELECT) \
		-m "not servers and not faults and not bench and not compose and not soak"

test: $(READY) ## Run the tests against a real RabbitMQ and a real PostgreSQL (T=tests/unit K=word WORKERS=2)
	@$(BIN)/python -m pytest $(T) -q $(PARALLEL) --hypothesis-profile=quick --durations=20 $(SELECT)

fmt: $(READY) ## Format, and mend what ruff can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

check: $(READY) ## Lint, formatting, import rules, types, licences
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/basedpyright & code=$$!; $(BIN)/basedpyright --project tests; tests=$$?; wait $$code && exit $$tests
	@$(BIN)/python deploy/image/licences.py

faults: $(READY) ## Kill and cut servers and services, check that nothing is lost or done twice; properties in full
	@$(BIN)/python -m pytest tests -m faults -q
	@$(BIN)/python -m pytest tests -m "hypothesis and not faults and not bench and not soak and not compose" -q $(PARALLEL)

soak: $(READY) ## An hour of mixed traffic with random faults: memory flat, nothing lost (SOAK_MINUTES, SOAK_SEED)
	@$(BIN)/python -m pytest tests/faults/test_soak.py -m soak -q -s

bench: $(READY) ## Measure; write the figures to tests/benchmarks/README.md and .local/bench.json
	@$(BIN)/python -m tests.benchmarks --fill

compose-test: $(READY) ## Build, start, use, kill and stop docker-compose.yml in a container engine (minutes)
	@$(BIN)/python -m pytest tests/compose -m compose -q -s

browser-test: $(READY) ## Show the public pages to a real Chromium: axe, a script, off line (installs Debian's chromium where it may)
	@$(BIN)/python -m pytest tests/browser -m browser -q $(SELECT)

schemas: $(READY) ## Write schemas/published/ from the code
	@$(BIN)/python -m schemas.generator.publish

# The build backend is locked too, so that installing needs no package from outside the lock. uv's own lock format, and the
# options below left out, would write the address of whoever's registry was asked.
lock: $(READY) ## Choose versions anew and write requirements.lock
	@printf 'hatchling\neditables\n' | $(BIN)/uv pip compile pyproject.toml - --upgrade --extra dev --extra bench --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--quiet --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --constraint requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet \
		--output-file deploy/image/requirements.lock
	@! grep -nE '://|file:|^-' requirements.lock deploy/image/requirements.lock

clean: ## Remove the environment and what runs left; running servers are not touched
	rm -rf .venv .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): requirements.lock pyproject.toml deploy/local/bootstrap.sh
	@deploy/local/bootstrap.sh
