# gradatim's table of contents: `make` alone prints it.

.DEFAULT_GOAL := help
.PHONY: help demo build neural test test-all format lint bench-boost bench-dist bench-neural bench-process bench-sd api docs figures clean check-fresh
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
PEERS := .venv-peers/bin/python
DIFFUSERS := .venv-diffusers/bin/python
JOBS := $(shell nproc 2>/dev/null || echo 2)
CPP = git ls-files -co --exclude-standard '*.cc' '*.h'

# $(call compile,options): the library, the command and the Python module, into build/ and .venv.
define compile
cmake --preset release $(1)
cmake --build build -j $(JOBS)
tools/install_python.sh $(PY)
endef

# $(call unit_tests,preset): built and run in build/PRESET.
define unit_tests
cmake --preset $(1)
cmake --build build/$(1) -j $(JOBS)
ctest --test-dir build/$(1) --output-on-failure -j $(JOBS)
endef

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## set up, build, and do the main jobs: 327,346 flights of 2013, then networks on digits
	@tools/setup.sh demo
	@$(call compile)
	@$(PY) examples/demo.py
	@tools/setup.sh neural
	@$(call compile)
	@$(PY) examples/digits.py
	@$(PY) examples/prompts.py

build: ## set up and build: the command at build/gradatim, everything Python in .venv
	@tools/setup.sh build
	@$(call compile)

neural: ## the same with networks (fetches torch, 200 MB or 3 GB, and says which)
	@tools/setup.sh neural
	@$(call compile)

test: ## set up, build, and run every test but the slow ones
	@tools/setup.sh test
	@$(call compile,-DGRADATIM_TESTS=ON)
	@ctest --test-dir build --output-on-failure -j $(JOBS)
	@$(PY) -m pytest

test-all: test lint ## the same, then sanitizers, clang, and parity with scikit-learn, XGBoost and LightGBM
	@tools/setup.sh peers
	@tools/install_python.sh $(PEERS)
	@$(PEERS) -m pytest tests/parity
	@$(call unit_tests,dev)
	@$(call unit_tests,tsan)
	@tools/setup.sh clang
	@$(call unit_tests,clang)

format: ## rewrite C++ and Python in the house style
	@tools/setup.sh lint
	@$(CPP) | xargs -r .venv/bin/clang-format -i
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

lint: ## format, layers, file sizes, notes without an issue, ruff, mypy: report, change nothing
	@tools/setup.sh lint
	@tools/lint.sh

bench-boost: build ## time boosting against the other libraries, in turn (hours; see bench/run.py for one task)
	@tools/setup.sh bench
	@tools/install_python.sh $(PEERS)
	@$(PEERS) bench/run.py --all
	@$(PEERS) bench/contributions.py

bench-dist: neural ## time processes against PyTorch's DDP and boosting on Dask, in turn (minutes; fetches torch and Dask)
	@tools/setup.sh diffusers
	@tools/setup.sh dask
	@$(PEERS) bench/dist.py

bench-neural: neural ## time networks against diffusers, PyTorch and libraries of flows, in turn (half an hour; fetches torch, see requirements.txt)
	@tools/setup.sh diffusers
	@cmake --preset release -DGRADATIM_BENCH=ON
	@cmake --build build -j $(JOBS) --target unet_time mlp_time flow_time prior_time quantizer_time
	@$(DIFFUSERS) bench/neural.py

bench-process: build ## time solver steps against PyTorch, optimal transport against POT (minutes; fetches torch, see requirements.txt)
	@tools/setup.sh diffusers
	@tools/setup.sh bench
	@cmake --preset release -DGRADATIM_BENCH=ON
	@cmake --build build -j $(JOBS) --target step_time coupling_time
	@$(DIFFUSERS) bench/steps.py
	@$(PEERS) bench/coupling.py

bench-sd: neural ## time Stable Diffusion's networks at full size against diffusers, in turn (an hour; fetches torch, writes 14 GB to a temporary folder)
	@tools/setup.sh diffusers
	@cmake --preset release -DGRADATIM_BENCH=ON
	@cmake --build build -j $(JOBS) --target sd_time
	@$(DIFFUSERS) bench/sd_bench.py

api: build ## rewrite what is derived from the registry: Python modules, schema, reference, golden files
	@build/gradatim api write

docs: api ## rewrite the reference pages and the pictures in docs/
	@set -e; for page in docs/pictures/*.py; do [ ! -e "$$page" ] || $(PY) "$$page"; done

figures: neural ## retrain and redraw what docs say of networks (hours; not timed as a whole)
	@tools/setup.sh figures
	@set -e; for page in docs/pictures/networks/*.py; do $(PY) "$$page"; done

clean: ## remove build/ (the virtual environments stay)
	@rm -rf --one-file-system build

check-fresh: ## run `make demo` and `make test` in a bare Debian 12, and time them (needs root)
	@tools/check_fresh.sh
