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
SERVICES = $$(test -z "$(s)" || printf '%s' '-s $(s)')

.PHONY: help up down logs ps build watch start stop restart config doctor setup exec run shell \
	list test test-unit lint test-setup clean

help:
	@sed -n 's/^#   \{0,1\}//p' Makefile | sed 's/^ *$$//'
	@echo
	@echo 'Targets: up down logs ps build watch start stop restart config doctor setup exec run shell list'
	@echo '         test test-unit lint clean'

# The stack. `setup` is quick when there is nothing to mend.

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

# The tests: two files at a time, since most of their time is waiting for an engine. What fails there is run once more,
# one by one: a machine that is busy with something else is no fault, one that fails alone is. Both runs are shown.

test: test-setup lint
	@$(BIN)/pytest -n 2 --dist loadfile $(args) || { \
		echo 'Once more, one by one: what failed.'; \
		$(BIN)/pytest --last-failed --last-failed-no-failures none $(args); }

test-unit: $(TEST_READY)
	@$(BIN)/pytest tests/unit $(args)

lint: $(TEST_READY)
	@$(INVOKE) lint

# What the tests need beside Python: an engine, the images of the example, a browser.
test-setup: $(TEST_READY) setup
	@sh tools/test_needs.sh

# The virtual environment: made once, and brought up to date when pyproject.toml changes.

$(READY): pyproject.toml
	@sh tools/venv.sh '$(PYTHON)' '$(VENV)' .
	@touch $(READY)

$(TEST_READY): $(READY)
	@sh tools/venv.sh '$(PYTHON)' '$(VENV)' '.[dev]'
	@touch $(TEST_READY)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
