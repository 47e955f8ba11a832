# Each target does its own set-up. PYTHON=/path/to/python chooses the interpreter; another than before
# makes .venv anew. UV= takes pip alone, also where there is uv.
.PHONY: help help-dev setup setup-check demo example test test-all oldest cassettes clients soak bench pictures mutations lint types format live record build release-check clean docs docs-serve
.DEFAULT_GOAL := help
BIN := .venv/bin
# Containers set it. Each process would compile anew what it imports: a hundred in the tests alone.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make demo      GPT-5.2 in LangChain and LlamaIndex; the emulator answers when no key is set"
	@echo "make example   short programs, one a use: lists them; NAME=langchain_agent runs one"
	@echo "make test      all tests, offline"
	@echo "make build     wheel and sdist into dist/, checked"
	@echo "make help-dev  what there is for those who change the code"

help-dev:
	@echo "make test        all tests, offline (ARGS='tests/core -k retry')"
	@echo "make test-all    the tests that make test leaves out: long ones, on a vector store, on Ray"
	@echo "make oldest      the tests with the oldest versions that pyproject.toml admits"
	@echo "make cassettes   replays the cassettes with the newest vcrpy; part of make test-all"
	@echo "make clients     other people's clients, of Python and Node, on the emulator (NAME=litellm)"
	@echo "make lint        ruff;   make format   ruff format;   make types   mypy and pyright, strict"
	@echo "make docs        the handbook into site/;   make docs-serve   the same while you write"
	@echo "make soak        mixed calls against a faulting emulator (SECONDS=900), with figures"
	@echo "make bench       a call beside the peers and the limit (QUICK=1, CASES='langchain.*')"
	@echo "make pictures    README's pictures: the chart of the kept bench run, the demo"
	@echo "make mutations   break the code line by line; a test must notice each (PART=2/4, ONLY=, FRESH=1)"
	@echo "make live        the tests against the real service (needs AIMLAPI_API_KEY; costs money)"
	@echo "make record      record the cassettes anew: from the service when AIMLAPI_API_KEY is set"
	@echo "make release-check  install what dist/ holds in empty environments (EXTRAS='- otel', NEWEST=1)"
	@echo "make setup-check set up anew with uv and with pip alone, in copies (HOW=uv, HOW=pip)"
	@echo "make clean       remove all environments, what was built and all caches"

setup:
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

setup-check:
	@PYTHON="$(PYTHON)" sh scripts/check_setup.sh $(HOW)

demo: setup
	@$(BIN)/python examples/demo.py

example: setup
	@case "$(NAME)" in *batch_ray*) echo "This example needs Ray: it is installed now."; \
		PYTHON="$(PYTHON)" sh scripts/setup.sh heavy ;; esac
	@$(BIN)/python -m scripts.examples $(NAME)

test: setup
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not live and not heavy" $(ARGS)

test-all: setup cassettes
	@PYTHON="$(PYTHON)" sh scripts/setup.sh heavy
	$(BIN)/python -m pytest -m heavy $(ARGS)

# Without a framework its own needs are absent, and older versions of httpx and pydantic will do.
oldest:
	@PYTHON="$(PYTHON)" sh scripts/environment.sh .oldest/core -c constraints/oldest-core.txt \
		-e '.[emulator]' hypothesis 'pytest>=9' pytest-asyncio pytest-socket pytest-xdist
	.oldest/core/bin/python -m pytest -n auto -m "not live and not heavy" tests/core tests/emulator
	@PYTHON="$(PYTHON)" sh scripts/environment.sh .oldest/frameworks -c constraints/oldest.txt \
		-e '.[all]' --group dev
	.oldest/frameworks/bin/python -m pytest -n auto -m "not live and not heavy" \
		tests/langchain tests/llama_index tests/anywhere tests/cassettes tests/costs

# langchain-tests keeps .venv at an older vcrpy, so the newest one stands before it on the path.
cassettes: setup
	@sh scripts/setup.sh vcrpy
	PYTHONPATH=.vcrpy $(BIN)/python -m pytest tests/cassettes

# Each environment is pinned and made by the run; that of Node needs node and npm. Part of no other
# target. What a client did is in latest.json and docs/testing.md, also where another failed.
clients: setup
	@PYTHON="$(PYTHON)" $(BIN)/python -m tests.clients.run $(NAME); code=$$?; \
		$(BIN)/python -m scripts.tables && exit $$code

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	@PYTHON="$(PYTHON)" sh scripts/setup.sh types
	$(BIN)/mypy
	$(BIN)/mypy --strict examples scripts benchmarks
	$(BIN)/python -m tests.typing

docs: setup
	@PYTHON="$(PYTHON)" sh scripts/setup.sh docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean
	$(BIN)/python -m scripts.site

docs-serve: setup
	@PYTHON="$(PYTHON)" sh scripts/setup.sh docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve --strict

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

soak: setup
	$(BIN)/python benchmarks/soak.py --seconds $(or $(SECONDS),900)

# In an environment of its own, which the run does without where it cannot be made: Ray is 80 MB, and
# LangSmith, which LangChain imports, imports httpx-aiohttp where it is there.
bench:
	@PYTHON="$(PYTHON)" sh scripts/environment.sh .bench -c constraints/bench.txt \
		-e '.[langchain,llama-index]' langchain langchain-openai langchain-mistralai \
		llama-index-llms-openai llama-index-llms-openai-like llama-index-embeddings-openai
	@PYTHON="$(PYTHON)" sh scripts/environment.sh .bench-extra -c constraints/bench.txt \
		-e '.[langchain,ray]' langchain-openai httpx-aiohttp || true
	.bench/bin/python -m benchmarks.run $(if $(QUICK),--quick) $(CASES) \
		$(if $(QUICK)$(CASES),,--publish)

pictures: setup
	$(BIN)/python -m scripts.pictures

mutations: setup
	$(BIN)/python -m tests.mutations.run $(if $(FRESH),--fresh) $(if $(PART),--part $(PART)) \
		$(if $(ONLY),--only "$(ONLY)")

live: setup
	@test -n "$$AIMLAPI_API_KEY" || { echo "Set AIMLAPI_API_KEY: make live talks to the real service."; exit 1; }
	$(BIN)/python -m pytest -m live --force-enable-socket $(ARGS)

record: setup
	$(BIN)/python -m tests.cassettes.record

build: setup
	@PYTHON="$(PYTHON)" sh scripts/setup.sh release
	rm -rf dist
	$(BIN)/python -m build --installer pip
	$(BIN)/twine check --strict dist/*
	$(BIN)/python -m pytest tests/release $(ARGS)

release-check: build
	$(BIN)/python -m scripts.release_check $(if $(NEWEST),--newest) $(EXTRAS)

clean:
	rm -rf .venv .bench .bench-extra .oldest .clients .vcrpy .mutations.jsonl dist build site .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
