# Two commands do everything: `make grade` and `make test`. `make help` lists the rest.
#
# Each target first makes the environment that it needs (scripts/setup.sh) and does so only once: the stamps below
# are newer than the files that say what to install.

LAB ?= init
SUBMISSIONS ?=
SUBMISSION ?=
OUT ?= build/grades/$(LAB)
JOBS ?=
SUITES ?=
FACTS ?=
FLAGS ?=

# An active conda environment is used instead of .venv; conda's own (base) is left alone.
ifeq ($(and $(CONDA_PREFIX),$(filter-out base,$(or $(CONDA_DEFAULT_ENV),unnamed))),)
ENVIRONMENT := .venv
else
ENVIRONMENT := $(CONDA_PREFIX)
endif
BIN := $(ENVIRONMENT)/bin

# The number stands for this folder: one that was moved, or a second clone beside the same conda, is set up anew.
FOLDER := $(shell pwd -P | cksum | cut -d ' ' -f 1)
BASE := $(ENVIRONMENT)/.forklab-base-$(FOLDER)
ALL := $(ENVIRONMENT)/.forklab-all-$(FOLDER)

CLASS := build/class/$(LAB)
EXAMPLES := $(patsubst %.c,build/%,$(wildcard c_examples/*.c))
NOTEBOOKS ?= notebooks/*.ipynb
C_SOURCES = $(shell find autograder forklab c_examples labs tests benchmarks -name '*.[ch]' | sort)

# Cells follow one another in one kernel, and some files share a server among their tests: a file stays together.
PYTEST = $(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder --nbval --nbval-current-env --nbval-cell-timeout=120
KEEP = $(BIN)/python -m nbconvert --to notebook --inplace

export PYTHON3 WITHOUT_BUBBLEWRAP
.DELETE_ON_ERROR:
.PHONY: help setup grade class check gradescope test lint witnesses slow mutants reliability transparency roots lab notebooks oracle conformance corpus outputs examples bench lock clean distclean

help: ## what you are reading
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

setup: $(ALL) ## all that the other targets need: .venv, and the system packages that are missing
	@echo "ready: $(BIN)/forklab and $(BIN)/autograder"

grade: $(BASE) $(if $(SUBMISSIONS),,$(CLASS).made) ## judge a class [SUBMISSIONS=folder, else the demo class] [LAB=init] [ASSIGNMENT=name] [OUT=folder] [JOBS=n]
	$(BIN)/autograder grade $(LAB) "$(or $(SUBMISSIONS),$(CLASS))" --out "$(OUT)" $(if $(ASSIGNMENT),--assignment "$(ASSIGNMENT)") $(if $(JOBS),--jobs $(JOBS)) $(if $(SUBMISSIONS),,--trusting) $(FLAGS)

class: $(CLASS).made ## write the demo class: the lab's solutions, starters and mutants as submissions

$(CLASS).made: $(BASE) $(shell find labs/$(LAB) autograder -type f -not -name "*.pyc" 2>/dev/null)
	@mkdir -p $(@D)
	$(BIN)/autograder demo $(LAB) --out $(CLASS)
	@touch $@

check: $(BASE) ## judge one submission: make check LAB=init SUBMISSION=folder
	@test -n "$(SUBMISSION)" || { echo "Which one? Type: make check LAB=$(LAB) SUBMISSION=folder" >&2; exit 2; }
	$(BIN)/autograder check $(LAB) "$(SUBMISSION)" $(FLAGS)

gradescope: $(BASE) ## write the zip that Gradescope asks you to upload: make gradescope LAB=init
	$(BIN)/python scripts/gradescope.py $(LAB) build/gradescope/$(LAB).zip

test: lint ## style, types, and all tests but those of the slow suites
	$(PYTEST) $(FLAGS)

lint: $(ALL) ## style and types alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy forklab autograder
	$(BIN)/clang-format --dry-run --Werror $(C_SOURCES)

witnesses: $(ALL) ## grade real inits, shells and the like, and hold the marks against what is known of them
	$(BIN)/python -m pytest -m witness -rA tests $(FLAGS)

slow: $(ALL) ## more of what `make test` runs a sample of: every notebook in JupyterLab, strangers' programs in both modes
	$(PYTEST) -m slow $(FLAGS)

mutants: $(ALL) ## judge every program one step away from the lab's solution: each fails, or a table says why it cannot
	$(PYTEST) --dist=load -m "slow or not slow" tests/labs/test_one_step.py $(FLAGS)

reliability: $(ALL) ## thousands of verdicts on a busy machine: minutes
	$(BIN)/python -m pytest -m reliability tests $(FLAGS)

transparency: $(ALL) ## CPython's own tests, by themselves and under the lens: what passes has to pass traced; minutes
	@sh scripts/setup.sh "$(ENVIRONMENT)" transparency
	$(BIN)/python -m pytest -m "transparency or not transparency" -rP tests/transparency $(FLAGS)

roots: ## both commands in roots of Debian 12, 13 and testing, and as in Docker [SUITES=trixie] [FLAGS=tests/...]: long
	FLAGS="$(FLAGS)" sh scripts/roots.sh $(SUITES)

oracle: $(ALL) ## play the facts about service managers on real systemd, and keep what it does [SUITES=trixie] [FACTS=names]: root, minutes
	@for suite in $(or $(SUITES),bookworm trixie); do \
	    sh tests/services/oracle/root.sh $$suite build/oracle/$$suite && \
	    $(BIN)/python tests/services/oracle/record.py build/oracle/$$suite $(FACTS) || exit; \
	done
	@sh tests/services/oracle/root.sh bookworm build/oracle/bookworm
	$(BIN)/python tests/services/oracle/scenes.py build/oracle/bookworm

conformance: $(ALL) ## play the labs' scenes on real inits and supervisors, and write docs/conformance.md: root, mmdebstrap, minutes
	sh scripts/conformance/root.sh bookworm build/conformance/root
	PYTHONPATH=scripts $(BIN)/python -m conformance build/conformance/root $(FLAGS)

corpus: $(BASE) ## fetch Debian's daemons with apt, read all their units, and print a table of what was understood
	$(BIN)/python scripts/corpus.py build/corpus

lab: build/trusted ## open JupyterLab
	$(BIN)/python -m jupyterlab --LabApp.default_url=/lab/tree/notebooks $(if $(filter 0,$(shell id -u)),--allow-root) $(FLAGS)

# JupyterLab shows kept films as pictures until it trusts who made them. What it signs is the content: so once a content.
build/trusted: $(ALL) $(wildcard notebooks/*.ipynb)
	@mkdir -p $(@D)
	@$(BIN)/python -m nbformat.sign notebooks/*.ipynb >/dev/null
	@touch $@

notebooks: $(ALL) ## validate the notebooks: run every cell, compare with the outputs that are kept
	$(PYTEST) notebooks $(FLAGS)

# The second pass joins the pieces of a text, and drops what is true of this machine only.
outputs: $(ALL) ## run the notebooks anew and keep their outputs [NOTEBOOKS=files]
	$(KEEP) --execute --ExecutePreprocessor.record_timing=False $(NOTEBOOKS)
	$(KEEP) --CoalesceStreamsPreprocessor.enabled=True --TagRemovePreprocessor.enabled=True \
	    --TagRemovePreprocessor.remove_all_outputs_tags=this-machine $(NOTEBOOKS)
	$(BIN)/python scripts/namespaces.py notebooks/*.ipynb

examples: $(BASE) $(EXAMPLES) ## build the C twins of the notebooks into build/c_examples

build/c_examples/%: c_examples/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -Wall -Wextra -Wpedantic -Werror -O1 -g $< -o $@

bench: $(ALL) ## measure: every line a ratio against a floor or a peer of the same run
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit; done

lock: $(BASE) ## write requirements.lock anew from pyproject.toml; FLAGS=--upgrade takes the newest versions
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv --no-config pip compile --quiet --universal --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --all-extras --group setup $(FLAGS) pyproject.toml -o requirements.lock

clean: ## remove what was built
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv too
	rm -rf .venv

$(BASE): pyproject.toml requirements.lock scripts/setup.sh
	@sh scripts/setup.sh "$(ENVIRONMENT)" base
	@touch "$@"

$(ALL): $(BASE)
	@sh scripts/setup.sh "$(ENVIRONMENT)" all
	@touch "$@"
