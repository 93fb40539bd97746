# `make demo` and `make test` work on a fresh machine with Python 3.11 or newer; the environment is made once, in .venv.
#   make PYTHON=python3.12                                                       another Python
#   make PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu"     torch without CUDA
#   make TORCH=torch==2.12.0                                                     another torch than constraints.txt pins
PYTHON ?= python3
TORCH ?= torch==2.13.0
PIP_FLAGS ?=
PYTEST_FLAGS ?= -n auto

VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready-$(subst =,-,$(TORCH))
export MPLBACKEND := Agg

.PHONY: demo test lint pictures bench clean

demo: $(READY)
	$(RUN) examples/demo.py
	$(RUN) examples/training.py

test: $(READY)
	OMP_NUM_THREADS=1 $(RUN) -m pytest $(PYTEST_FLAGS)

lint: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	rm -rf build/lib build/typecheck
	$(RUN) -m pip install $(PIP_FLAGS) --quiet --no-deps --target build/typecheck .
	$(RUN) -m pyright --pythonpath $(RUN)

# The picture of the README.
pictures: $(READY)
	$(RUN) -m lvmc draw qp_faces docs/unrolled.svg

bench: $(READY)-bench
	$(RUN) benchmarks/compile_time.py
	$(RUN) benchmarks/speed.py --json build/speed.json
	$(RUN) benchmarks/check.py --json build/check.json

clean:
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis *.egg-info

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit('lvmc needs Python 3.11 or newer: make PYTHON=...')"
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	grep -v '^torch==' constraints.txt > $(VENV)/constraints.txt
	$(RUN) -m pip install $(PIP_FLAGS) --quiet -c $(VENV)/constraints.txt "$(TORCH)" -e ".[test,lint]"
	touch $@

$(READY)-bench: $(READY)
	$(RUN) -m pip install $(PIP_FLAGS) --quiet -c $(VENV)/constraints.txt "$(TORCH)" -e ".[bench]" && touch $@ \
		|| echo "torchdeq or scikit-learn cannot be had; the table says so"
