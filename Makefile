# The tasks of this repository, on any machine with Python 3.11 and make:
#
#   make up      everything: the virtual environment, an engine, the images, the stack
#   make test    all tests, those on a real engine too
#   make help    the rest
#
#   s     a service, or several with commas between them: make logs s=web
#   args  flags of the task, as `invoke --help TASK` shows them: make down args=--volumes
#   cmd   a command for exec and run: make exec s=web cmd='python --version'

.POSIX:
.SUFFIXES:

PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
INVOKE = $(BIN)/invoke
READY = $(VENV)/.ready
TEST_READY = $(VENV)/.ready-for-tests
COVERAGE = $$(test -n "$(args)" || printf '%s' '--cov')
SERVICES = $$(test -z "$(s)" || printf '%s' '-s $(s)')

.PHONY: help up down logs ps build watch start stop restart config doctor setup exec run shell \
	list test test-unit lint test-setup clean

help:
	@sed -n 's/^#   \{0,1\}//p' Makefile | sed 's/^ *$$//'
	@echo
	@echo 'Targets: up down logs ps build watch start stop restart config doctor setup exec run shell list'
	@echo '         test test-unit lint clean'

# The stack. `setup` is quick when there is nothing to fix.

up: setup
	@$(INVOKE) up $(SERVICES) $(args)

setup: $(READY)
	@$(INVOKE) setup

doctor: $(READY)
	@$(INVOKE) doctor $(args)

down config: $(READY)
	@$(INVOKE) $@ $(args)

logs ps build watch start stop restart: $(READY)
	@$(INVOKE) $@ $(SERVICES) $(args)

exec run: $(READY)
	@$(INVOKE) $@ $(s) $(args) -- $(cmd)

shell: $(READY)
	@$(INVOKE) $@ $(s) $(args)

list: $(READY)
	@$(INVOKE) --list

# The tests: four files at a time, because most of their time is spent waiting for an engine; the many short ones come
# last, so that all four end together. Coverage and its floor are those of a whole run. `lint` runs meanwhile:
# it shows what it finds when it ends, and a last line says that it failed.

test: test-setup
	@$(INVOKE) lint & lint=$$!; \
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder $(COVERAGE) $(args); tested=$$?; \
	wait $$lint || { echo 'error: lint failed; its output is above, or: make lint' >&2; exit 1; }; exit $$tested

test-unit: $(TEST_READY)
	@$(BIN)/pytest tests/unit $(args)

lint: $(TEST_READY)
	@$(INVOKE) lint

# What the tests need beside Python: an engine, the images of the example, a browser.
test-setup: $(TEST_READY) setup
	@sh tools/test_needs.sh

# The virtual environment: made once, and brought up to date when pyproject.toml or a lock changes.

$(READY): pyproject.toml requirements.txt requirements-dev.txt
	@sh tools/venv.sh '$(PYTHON)' '$(VENV)' '.[all]'
	@touch $(READY)

$(TEST_READY): $(READY)
	@sh tools/venv.sh '$(PYTHON)' '$(VENV)' '.[dev]'
	@touch $(TEST_READY)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
