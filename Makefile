# make lab: open the course. make fresh LESSON=05: a lesson laid anew. make update: what is new in the course.
# make test: everything that must hold. make check: the quick part of it, for every commit.
# The other targets serve those who change the course.
# Each may be told which Python to build the environment with: make lab PYTHON=python3.12
PYTHON ?= python3
VENV ?= .venv
TORCH = $(shell grep '^torch==' constraints.txt)
export OMP_WAIT_POLICY ?= PASSIVE
export GOMP_SPINCOUNT ?= 1000
unexport PYTHONPATH

ifeq ($(OS),Windows_NT)
SCRIPTS = Scripts
else
SCRIPTS = bin
endif
BIN = $(VENV)/$(SCRIPTS)
PIP = "$(BIN)/python" -m pip install --quiet --disable-pip-version-check
# PyTorch's own index holds the CPU builds for Linux; without it Linux gets gigabytes of CUDA. Other systems, and
# machines that can't reach it, find a CPU build elsewhere.
CPU_INDEX = --extra-index-url https://download.pytorch.org/whl/cpu --retries 0
# Names of files for make itself, in which a blank is escaped; commands have quotes.
BLANK = $() $()
READY = $(subst $(BLANK),\$(BLANK),$(VENV))/ready
TESTED = $(subst $(BLANK),\$(BLANK),$(VENV))/tested
COLAB = build/colab/$(SCRIPTS)/python
UV = build/uv/$(SCRIPTS)
# What torch wants for CUDA on Linux. It names the exact versions itself, so constraints.txt leaves them out.
CUDA = cuda-bindings cuda-toolkit nvidia-cudnn-cu13 nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvshmem-cu13 triton

# Tests side by side, each file in one worker; conftest.py says how many workers, and gives each its share of the cores.
PYTEST = "$(BIN)/python" -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: lab fresh update test check lint frameworks colab versions execute times bench results lenet data site slides answers load address release constraints clean

# JupyterLab refuses to run as root unless told; in a container there is often no other user.
lab: $(READY)
	"$(BIN)/jupyter" lab $(if $(filter 0,$(shell id -u)),--allow-root) --notebook-dir=notebooks --LabApp.default_url=/lab/tree/00_start_here.ipynb

# Both keep what the learner wrote: docs/install.md says how.
fresh:
	"$(PYTHON)" -m tools.fresh $(LESSON)

update:
	"$(PYTHON)" -m tools.fresh --update

test: $(TESTED) lint
	$(PYTEST)

check: $(TESTED) lint
	$(PYTEST) -m 'not slow' tests

lint: $(TESTED)
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .

# The sparse layer under TensorFlow, JAX and ONNX. They take gigabytes, so `make test` does without them.
frameworks: $(TESTED)
	$(PIP) --constraint constraints.txt --editable '.[frameworks]'
	REQUIRE_FRAMEWORKS=1 "$(BIN)/python" -m pytest tests/test_frameworks.py

# Every lesson as on Colab: the notebook alone, in an environment with the versions that are installed there. Its torch,
# often a CUDA build of 5 GB, only where asked for: make colab TORCH=torch==2.11.0 PYTHON=python3.13
colab: $(TESTED)
	"$(PYTHON)" -m venv --clear build/colab
	$(COLAB) -m pip install --quiet --disable-pip-version-check $(CPU_INDEX) $(TORCH)
	$(COLAB) -m pip install --quiet --disable-pip-version-check --requirement tests/colab.txt
	COLAB_PYTHON="$(abspath $(COLAB))" "$(BIN)/python" -m pytest tests/test_colab.py

# Tests of what is not the library or its lessons; they need more than the extras lab and test.
NOT_THE_LIBRARY = browser environment figures hub hub_attacks site site_panels site_reader workshop
# Library and lessons with the oldest versions that pyproject.toml admits, or with RESOLUTION=highest the newest, in an
# environment of their own. TORCH=torch==… takes another torch than that.
RESOLUTION ?= lowest-direct
versions: VENV = build/versions
versions: TORCH =
versions:
	"$(PYTHON)" -m venv --clear "$(VENV)"
	$(PIP) 'uv>=0.10'
	echo $(TORCH) | "$(BIN)/uv" pip compile --quiet --resolution $(RESOLUTION) --python "$(BIN)/python" \
		--extra lab --extra test --output-file "$(VENV)/constraints.txt" pyproject.toml -
	$(PIP) $(CPU_INDEX) $$(grep '^torch==' "$(VENV)/constraints.txt")
	$(PIP) --constraint "$(VENV)/constraints.txt" --editable '.[lab,test]'
	"$(BIN)/python" -m pytest notebooks $(filter-out $(NOT_THE_LIBRARY:%=tests/test_%.py),$(wildcard tests/test_*.py))

# FIGURES=png: figures as plain images, for viewers that show no HTML; FIGURES=html: as they were. Without it they stay.
execute: $(TESTED)
	"$(BIN)/python" -m tools.run execute $(LESSON) $(FIGURES:%=--figures %)

times: $(TESTED)
	"$(BIN)/python" -m tools.run times

bench: $(TESTED)
	"$(BIN)/python" -m tools.bench

results: $(TESTED)
	for script in $(filter-out %/lenet.py %/lenet_sgd.py, $(wildcard data/results/*.py)); do "$(BIN)/python" $$script || exit 1; done

# The field's yardstick, two to four hours on two cores. Killed, it goes on where it was.
lenet: $(TESTED)
	"$(BIN)/python" data/results/lenet.py
	"$(BIN)/python" data/results/lenet_sgd.py

data: $(TESTED)
	$(PIP) --constraint constraints.txt --editable '.[data]'
	"$(BIN)/python" data/celegans/build.py

# The course as a web site, in build/site.
site: $(TESTED)
	"$(BIN)/python" site/build.py

# make slides: a deck for each lesson. make slides SHEET=half-day: one deck for a run sheet of workshop/sheets.md.
slides: $(TESTED)
	"$(BIN)/python" workshop/slides.py $(LESSON) $(addprefix --sheet ,$(SHEET))

answers: $(TESTED)
	"$(BIN)/python" workshop/answers.py

# A room of simulated learners on a JupyterHub on this machine. Needs Node.js 20 or newer. Root must say ALLOW_ROOT=1.
LEARNERS ?= 8
load: $(TESTED)
	"$(BIN)/python" workshop/hub/load.py --learners $(LEARNERS) --lesson $(or $(LESSON),05) $(if $(ALLOW_ROOT),--allow-root)

# make address REPO=owner/name: badges, setup cells, launch buttons and links; without REPO it tells what is set.
address:
	"$(PYTHON)" -m tools.address $(REPO)

# make release VERSION=0.2.0: the version in every place, a commit and a tag; without VERSION it tells which there is.
release:
	"$(PYTHON)" -m tools.release $(VERSION)

# The environment is made from nothing whenever what it is made from has changed, and is trusted only once its last
# step, the file `ready`, is there: an interrupted install is thrown away and redone. What only those need who test and
# change the course comes on top.
$(READY): pyproject.toml constraints.txt
	"$(PYTHON)" -m venv --clear "$(VENV)"
	$(PIP) --constraint constraints.txt $(CPU_INDEX) $(TORCH)
	$(PIP) --constraint constraints.txt --editable '.[lab]'
	"$(BIN)/python" -c "import sparsecourse; open('$(VENV)/ready', 'w').close()"

$(TESTED): $(READY)
	$(PIP) --constraint constraints.txt --editable '.[lab,test,site,workshop,hub,cluster]'
	"$(BIN)/python" -c "import pytest; open('$(VENV)/tested', 'w').close()"

# The exact versions of all that pyproject.toml asks for. A version stays while it fits: to renew it, delete its line first.
constraints:
	"$(PYTHON)" -m venv --clear build/uv
	$(UV)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.10'
	printf '%s\n' $(CUDA) | $(UV)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --excludes - \
		--custom-compile-command 'make constraints' --output-file constraints.txt pyproject.toml

clean:
	"$(PYTHON)" -c "import shutil; shutil.rmtree('$(VENV)', ignore_errors=True)"
