# Everything runs in .venv; PYTHON is any Python from 3.11 on.
PYTHON ?= python3
BIN := .venv/bin
PROGRAM := .venv/.program
READY := .venv/.ready

EDITION_TOOLS ?= $(HOME)/.cache/watcher-edition-tools
export EDITION_TOOLS
# Each test process would otherwise compile all test files again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test run-tests quick check edition-tools torture floors size constraints format docs clean docs-site audit sbom release

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(READY)  ## make .venv with everything in it

$(PROGRAM): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Watcher needs Python 3.11 or newer, and $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[translate]'
	$(BIN)/python -m compileall -q watcher digests
	touch $(PROGRAM)

$(READY): $(PROGRAM)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[semantic,translate,postgresql,dev]'
	touch $(READY)

demo: $(PROGRAM)  ## run the main job on the sample press: poll, clean, group, write an edition
	$(BIN)/watcher demo

test: $(READY)  ## check the code and run every test, side by side
	$(MAKE) --no-print-directory -j2 check run-tests

# Four test processes also on two cores: many tests wait for a clock or a server. Six are no faster there.
# Which tests go to which process: `pytest_xdist_make_scheduler` in tests/conftest.py.
# What lies above the store runs on one database; `make test TEST_OPTIONS=` runs it on both, as the CI does.
TEST_OPTIONS ?= --one-database
run-tests:
	$(BIN)/python -m pytest -n 4 -rs $(TEST_OPTIONS)

quick: $(READY)  ## the tests that take under a minute together
	$(BIN)/python -m pytest -n 2 -m 'not slow' --hypothesis-profile=quick

check: $(READY)  ## lint, format, types, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

edition-tools:  ## what the tests of an edition's forms run on, from npm; Debian: chromium default-jre-headless khal nodejs npm
	mkdir -p "$(EDITION_TOOLS)"
	cp tests/render/browser/package.json "$(EDITION_TOOLS)/"
	cd "$(EDITION_TOOLS)" && PUPPETEER_SKIP_DOWNLOAD=1 PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm install --silent --no-audit --no-fund

TORTURE ?= $(wildcard ../shared/eval/torture/server.py)

torture: $(READY)  ## two minutes against a hostile server for feed readers; TORTURE=path/to/server.py
	$(BIN)/python bench/torture.py $(if $(TORTURE),--server "$(TORTURE)")

docs-site: $(READY)  ## build the docs as a site into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

audit: $(READY)  ## ask for known holes in what is installed; needs the network
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	build/audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --format json | $(BIN)/python -m bench.audit

sbom: $(READY)  ## write what an installation is made of as CycloneDX into build/sbom.json
	$(PYTHON) -m venv build/sbom build/cyclonedx
	build/sbom/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt '.[semantic,translate,postgresql,apprise]'
	build/cyclonedx/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom
	build/cyclonedx/bin/cyclonedx-py environment build/sbom/bin/python --output-file build/sbom.json

# A network of its own for one command, where the system permits it: nothing in it reaches the internet.
WITHOUT_NETWORK := unshare --map-root-user --net sh -c 'ip link set lo up && exec "$$@"' sh

release:  ## build the packages into dist, check them, and run the demo from the wheel in a clean venv
	rm -rf dist build/release
	$(PYTHON) -m venv build/release/tools
	build/release/tools/bin/python -m pip install --quiet --disable-pip-version-check build twine
	build/release/tools/bin/python -m build --outdir dist
	build/release/tools/bin/twine check --strict dist/*
	$(PYTHON) -m venv build/release/clean
	build/release/clean/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd build/release && if $(WITHOUT_NETWORK) true; then $(WITHOUT_NETWORK) clean/bin/watcher demo; \
	  else echo 'The demo runs with a network: this system permits no network of its own.'; clean/bin/watcher demo; fi
	ls -l dist

SCORERS ?= $(wildcard ../shared/eval)
LABELLED ?= $(wildcard ../shared/data)

floors: $(READY)  ## measure quality against tests/quality/floors.json; FLOORS=--raise writes what became better
	$(BIN)/python bench/floors.py $(if $(SCORERS),--scorers "$(SCORERS)") $(if $(LABELLED),--data "$(LABELLED)") $(FLOORS)

size: $(READY)  ## measure the house: lines, files, circles, names; SIZE=--write keeps what was reached
	$(BIN)/python -m bench.house_size $(SIZE)

constraints:  ## pin what a fresh installation takes today
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet --disable-pip-version-check '.[semantic,translate,postgresql,dev]'
	(echo '# Every package that `make install` takes, pinned by `make constraints`.'; \
	  build/constraints/bin/python -m pip freeze --exclude watcher-digests | grep -v ' @ ') > constraints.txt
	rm -rf build/constraints

format: $(READY)  ## put the code in order
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(READY)  ## make the pages that come from the code: settings, commands, errors
	$(BIN)/python -m bench.make_docs settings > docs/reference/settings.md
	$(BIN)/watcher settings schema > docs/reference/settings.schema.json
	$(BIN)/python -m bench.make_docs manual > docs/watcher.1
	$(BIN)/python -m bench.make_docs errors > docs/reference/errors.md
	$(BIN)/python -m bench.make_docs commands docs/reference/commands

clean:  ## remove what was built
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis demo-edition
