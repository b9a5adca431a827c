# The two commands of the README, and their kin. Nothing but Python 3.11, make and git is needed.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
export PORT
unexport PYTHONDONTWRITEBYTECODE  # the tests start many processes, each of which would compile everything anew

.PHONY: run test test-all suite bench lint style types format messages docs lock upgrade release clean

# -- from a bare clone ---------------------------------------------------------------------------
run: $(VENV)/.runtime
	$(BIN)/python -m guardlabs.keys
	$(BIN)/python manage.py prepare
	exec $(BIN)/python -m guardlabs.serve

# Types are checked beside the tests, which leave a core idle whenever they wait; what the tests say comes last.
test: $(VENV)/.dev
	@$(BIN)/python -m tests.machine
	@$(MAKE) --no-print-directory style
	@$(MAKE) --no-print-directory -j2 types suite

test-all:
	@$(MAKE) --no-print-directory test CHOSEN=

CHOSEN := -m "not exhaustive"
suite: $(VENV)/.dev
	$(BIN)/python -m pytest -q -n auto --dist worksteal $(CHOSEN)

bench: $(VENV)/.dev
	$(BIN)/python -m bench

# -- while developing ----------------------------------------------------------------------------
lint: style types

style: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	SECRET_KEY=lint $(BIN)/mypy .

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: $(VENV)/.dev  # needs gettext's xgettext
	SECRET_KEY=messages $(BIN)/python manage.py makemessages -a --no-location --no-obsolete \
	  -i .venv -i var -i static_root -i tests -i bench

docs: $(VENV)/.dev  # the documentation as a static site, in dist/site
	$(BIN)/python .ci/docs.py

LOCK = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header

# What the site runs on is what development ran on, so the one is locked within the other.
lock: $(VENV)/.dev  # brings the locks in line with requirements*.txt; what is locked already stays
	$(LOCK) requirements-dev.txt -o requirements-dev.lock
	$(LOCK) -c requirements-dev.lock requirements.txt -o requirements.lock

upgrade: $(VENV)/.dev  # the newest versions that requirements*.txt allow
	$(LOCK) --upgrade requirements-dev.txt -o requirements-dev.lock
	$(LOCK) --upgrade -c requirements-dev.lock requirements.txt -o requirements.lock

release: test  # the version in llm/__init__.py: checks, dist/ (wheel of llm, SBOM, licences, image), a tag; pushes nothing
	$(BIN)/python .ci/release.py

clean:
	rm -rf $(VENV) static_root

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# requirements*.txt say which libraries and why; the locks beside them say which files exactly, by their hashes. They
# are whole, so nothing is looked up besides: pip 23 would take a newer version of what a library wants with an extra.
$(VENV)/.runtime: requirements.lock guardlabs/install/launchers.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m guardlabs.install.launchers
	touch $@

$(VENV)/.dev: requirements-dev.lock guardlabs/install/launchers.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	$(BIN)/python -m guardlabs.install.launchers
	touch $@ $(VENV)/.runtime
