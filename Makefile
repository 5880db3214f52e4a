# make demo   a planet, the circle of the data, a model that is scored    (sets up what it needs)
# make up     server, database and workers of Prefect, deployed: docs/operate.md (PORT, HOST, DATABASE)
# make down   ends them, and nothing else
# make test   lint, types, import contract and tests                      (sets up what it needs)
# make ablation     the paper's tables 2, 3 and I, small, hours on a CPU  (sets up what it needs)
# make serve-env    .venv-serve with vLLM, for the GPUs of this machine or its CPU (3 to 10 GB)
# make test-serve   the tests that start a real vLLM                      (sets up what it needs)
# make test-exports the tests that start VLMEvalKit and lmms-eval         (sets up what it needs)

PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
PORT ?= 4200
HOST ?= 127.0.0.1
DATABASE ?= auto

.PHONY: demo up down test test-full test-serve test-exports serve-env lint bench ablation clean

demo: demo/.planet
	$(BIN)/terrascope build --out demo/dataset --workers $(WORKERS) --config configs/circle-tiny.yaml \
	  --source bigearthnet=demo/planet/bigearthnet --source xbd=demo/planet/xbd \
	  --source chatearthnet=demo/planet/chatearthnet --source teochatlas=demo/planet/teochatlas
	$(BIN)/terrascope verify demo/dataset --workers $(WORKERS)
	$(BIN)/terrascope inspect demo/dataset
	cat demo/dataset/manifest.json configs/model-tiny.yaml > demo/model-of
	cmp -s demo/model-of demo/model/of || rm -rf demo/model   # of another dataset, or otherwise trained
	mkdir -p demo/model && mv demo/model-of demo/model/of
	$(BIN)/terrascope train --data demo/dataset --out demo/model --config configs/model-tiny.yaml \
	  --set start=demo/dataset/.work/annotator/fold-0/model
	$(BIN)/terrascope answers demo/dataset --model demo/model --split validation --tier l1 \
	  --task existence --task border
	$(BIN)/terrascope build --out demo/bench --workers $(WORKERS) --config configs/bench-small.yaml \
	  --source bigearthnet=demo/planet/bigearthnet --source xbd=demo/planet/xbd \
	  --source chatearthnet=demo/planet/chatearthnet --against demo/dataset
	$(BIN)/terrascope bench demo/bench --model demo/model --out demo/scores --number 36
	@echo
	@echo "look at the samples:   demo/dataset/report/index.html"
	@echo "or at all of them:     $(BIN)/terrascope view demo/dataset   then open http://127.0.0.1:8100"
	@echo "at the answers:        demo/dataset/report/answers.html"
	@echo "and at the scores:     demo/scores/bench.html"
	@echo "see the run:           $(BIN)/prefect server start   then open http://127.0.0.1:4200/v2/runs"

demo/.planet: .venv/.train
	rm -rf demo/planet
	$(BIN)/terrascope planet demo/planet --scenes 448 --seed 7
	touch $@

up: .venv/.train
	$(BIN)/python -m flows.service up --port $(PORT) --host $(HOST) --database $(DATABASE)

down:
	$(BIN)/python -m flows.service down

test: lint
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m "not full and not serve and not exports"

test-full: lint
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m "not serve and not exports"

test-serve: .venv/.dev serve-env
	$(BIN)/pytest -m serve tests/serve

test-exports: .venv/.dev .venv-exports/.done
	$(BIN)/pytest -m exports tests/dataset

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks
	$(BIN)/lint-imports

bench: .venv/.dev
	$(BIN)/python benchmarks/mask_codec.py
	$(BIN)/python benchmarks/l1_stage.py
	$(BIN)/python benchmarks/shard_size.py
	$(BIN)/python benchmarks/leaks.py

ablation: demo/ablation/dataset/manifest.json
	$(BIN)/python benchmarks/ablation.py demo/ablation/dataset --out demo/ablation

demo/ablation/dataset/manifest.json: demo/ablation/.planet
	$(BIN)/terrascope build --out demo/ablation/dataset --workers $(WORKERS) \
	  --source bigearthnet=demo/ablation/planet/bigearthnet \
	  --source chatearthnet=demo/ablation/planet/chatearthnet

demo/ablation/.planet: .venv/.train
	rm -rf demo/ablation/planet
	$(BIN)/terrascope planet demo/ablation/planet --scenes 2400 --seed 11
	touch $@

serve-env: .venv-serve/.done

clean:
	rm -rf demo .venv .venv-serve .venv-exports

.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/.train: .venv/bin/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e ".[train,view]"
	touch $@

.venv/.dev: .venv/bin/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e ".[dev,train]"
	touch $@ .venv/.train

# An NVIDIA driver that answers means GPUs.
SERVE = serve/requirements$(shell nvidia-smi -L >/dev/null 2>&1 || echo -cpu).txt

# torch goes first, so that the build which pip finds for it is kept. torchaudio and torchcodec are for
# CUDA only: the CPU build of vLLM does not need them, and one that cannot be loaded stops it.
.venv-serve/.done: serve/requirements.txt serve/requirements-cpu.txt
	$(PYTHON) -m venv --clear .venv-serve
	.venv-serve/bin/pip install --quiet $$(grep '^torch==' $(SERVE))
	.venv-serve/bin/pip install --quiet -r $(SERVE)
	if [ $(SERVE) = serve/requirements-cpu.txt ]; then \
	  .venv-serve/bin/pip uninstall --quiet --yes torchaudio torchcodec; fi
	touch $@

# It sees the packages of .venv, and adds what the two evaluators need of their own for these tests.
.venv-exports/.done: .venv/.dev tests/dataset/evaluators/requirements.txt
	$(PYTHON) -m venv --clear .venv-exports
	$(BIN)/python -c "import site; print(site.getsitepackages()[0])" \
	  > $$(.venv-exports/bin/python -c "import site; print(site.getsitepackages()[0])")/base.pth
	.venv-exports/bin/pip install --quiet --no-deps -r tests/dataset/evaluators/requirements.txt
	touch $@
