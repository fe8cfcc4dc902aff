.PHONY: help install run smoke test test-all test-long fuzz lint golden bench leaderboard report docs clean

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
DEMO := demo-results
FIRST := svm-is09,aldeneh2017-logmel40,mirsamadi2017-mean-lld,mirsamadi2017-attention-lld,wang2020-dslstm

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/emobench: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

install: $(BIN)/emobench  ## Create .venv with the package and what its tests need

run: install  ## Train five models on the synthetic demo corpus for some minutes, print the leaderboard
	$(BIN)/emobench run --model $(FIRST) --corpus demo --protocol quick --results $(DEMO) --jobs $(JOBS)
	$(BIN)/emobench leaderboard --protocol quick --results $(DEMO)
	$(BIN)/emobench report --results $(DEMO) --out $(DEMO)/site

smoke: install  ## Run every model on the demo corpus for two epochs: does everything run?
	$(BIN)/emobench run --model all --corpus demo --protocol smoke --results $(DEMO) --jobs $(JOBS)
	$(BIN)/emobench leaderboard --protocol smoke --results $(DEMO)

test: install  ## Run the tests, but for those marked slow or long
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow and not long"

test-all: test  ## Run all tests: those of `make test`, then the slow ones
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m slow

test-long: install  ## Run the tests that train or convert every model, and the like: an hour or more
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m long

fuzz: install  ## Give mutated files to all that reads any, for ten minutes
	$(BIN)/python tests/fuzzing.py --seconds 600

lint: install  ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

golden: install  ## Keep the numbers of parts that compute whose version was raised
	KERAS_BACKEND=tensorflow $(BIN)/python -m tests.golden

bench: install  ## Measure training on a card if there is one, then all else on the CPU, as ratios
	-$(BIN)/python benchmarks/together.py
	$(BIN)/python benchmarks/steps.py
	$(BIN)/python benchmarks/recurrent.py
	$(BIN)/python benchmarks/pipeline.py
	$(BIN)/python benchmarks/extraction.py
	$(BIN)/python benchmarks/grid.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/prediction.py

leaderboard: install  ## Write the tables in results/ and in README.md from the committed records
	$(BIN)/emobench leaderboard --format markdown --pooled --out results/leaderboard.md --readme README.md
	$(BIN)/emobench leaderboard --format markdown --partial --out results/partial.md
	$(BIN)/emobench leaderboard --format csv --out results/leaderboard.csv
	$(BIN)/emobench leaderboard --format json --out results/leaderboard.json
	$(BIN)/emobench ledger --format markdown --out results/ledger.md
	$(BIN)/emobench ledger --format csv --out results/ledger.csv
	$(BIN)/emobench leakage --stored --format markdown --out results/leakage.md --readme README.md
	$(BIN)/emobench leakage --stored --format json --out results/leakage.json
	$(BIN)/emobench bitrates --partial --csv results/bitrates.csv
	$(BIN)/emobench plot bitrates --partial --out results/bitrates.png

report: install  ## Make the site of the committed results in results/site
	$(BIN)/emobench report --results results --out results/site
	if command -v chromium > /dev/null; then $(BIN)/python tests/chromium.py 'results/site/index.html#run=yes' results/site.png; fi

$(BIN)/sphinx-build: $(BIN)/emobench
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

docs: $(BIN)/sphinx-build  ## Write the generated parts of the documentation and build it in docs/_build
	$(BIN)/python docs/generate.py
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "open docs/_build/html/index.html"

clean:  ## Remove what can be made again
	rm -rf $(VENV) $(DEMO) docs/_build build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
