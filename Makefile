# One command for each thing that a developer does. Each makes or refreshes .venv first when pyproject.toml has changed.
# Without make: `python3 scripts/check.py NAME` (the names are those on the right).

PYTHON ?= python3
CHECK = $(PYTHON) scripts/check.py

.PHONY: check format lint types layers docs test full quickstart

check:       ## everything below but `full`
	$(CHECK)

format:      ## rewrite the code as ruff would have it
	$(CHECK) format

lint:        ## ruff
	$(CHECK) lint

types:       ## mypy and pyright, both strict, on the installed wheel
	$(CHECK) types

layers:      ## import-linter on the installed wheel
	$(CHECK) layers

docs:        ## write the generated pages anew
	$(CHECK) write-docs

test:        ## pytest
	$(CHECK) test

full:        ## the whole of the long tests; what they say is kept in docs/
	$(CHECK) full

quickstart:  ## serve the NHS sandbox and show what it answers
	$(PYTHON) scripts/quickstart.py
