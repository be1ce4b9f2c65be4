# make lab: open the course. make test: everything that must hold. The other targets serve those who change the course.
# Each may be told which Python to build the environment with: make lab PYTHON=python3.12
PYTHON ?= python3
VENV ?= .venv
TORCH = $(shell grep '^torch==' constraints.txt)
export OMP_WAIT_POLICY ?= PASSIVE
export GOMP_SPINCOUNT ?= 1000
unexport PYTHONPATH

ifeq ($(OS),Windows_NT)
BIN = $(VENV)/Scripts
else
BIN = $(VENV)/bin
endif
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# PyTorch's own index holds the CPU builds for Linux; without it Linux gets gigabytes of CUDA. Other systems, and
# machines that can't reach it, find a CPU build elsewhere.
CPU_INDEX = --extra-index-url https://download.pytorch.org/whl/cpu --retries 0
READY = $(VENV)/ready
COLAB = build/colab/$(notdir $(BIN))/python

.PHONY: lab test lint frameworks execute times bench results data clean

# JupyterLab refuses to run as root unless told; in a container there is often no other user.
lab: $(READY)
	$(BIN)/jupyter lab --allow-root --notebook-dir=notebooks --LabApp.default_url=/lab/tree/00_start_here.ipynb

test: $(READY) lint
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The sparse layer under TensorFlow, JAX and ONNX. They take gigabytes, so `make test` does without them.
frameworks: $(READY)
	$(PIP) --constraint constraints.txt --editable '.[frameworks]'
	REQUIRE_FRAMEWORKS=1 $(BIN)/python -m pytest tests/test_frameworks.py

# Every lesson as on Colab: the notebook alone, in an environment with the versions that are installed there.
colab: $(READY)
	$(PYTHON) -m venv --clear build/colab
	$(COLAB) -m pip install --quiet --disable-pip-version-check $(CPU_INDEX) $(TORCH)
	$(COLAB) -m pip install --quiet --disable-pip-version-check --requirement tests/colab.txt
	COLAB_PYTHON=$(abspath $(COLAB)) $(BIN)/python -m pytest tests/test_colab.py

execute: $(READY)
	$(BIN)/python tests/lessons.py execute $(LESSON)

times: $(READY)
	$(BIN)/python tests/lessons.py times

bench: $(READY)
	$(BIN)/python tests/bench.py

results: $(READY)
	for script in data/results/*.py; do $(BIN)/python $$script || exit 1; done

data: $(READY)
	$(PIP) --constraint constraints.txt --editable '.[data]'
	$(BIN)/python data/celegans/build.py

# The environment is made from nothing whenever what it is made from has changed, and is trusted only once its last
# step, the file `ready`, is there: an interrupted install is thrown away and redone.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) --constraint constraints.txt $(CPU_INDEX) $(TORCH)
	$(PIP) --constraint constraints.txt --editable '.[lab,test]'
	$(BIN)/python -c "import sparselab; open('$(READY)', 'w').close()"

clean:
	$(PYTHON) -c "import shutil; shutil.rmtree('$(VENV)', ignore_errors=True)"
