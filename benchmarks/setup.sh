#!/bin/sh
# Makes .bench: an environment with the peers at pinned versions and this project, unless it is
# there and up to date. PYTHON=/path/to/python chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

stamp=.bench/.ready
wanted=$(cat pyproject.toml constraints/bench.txt benchmarks/setup.sh | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .bench/bin/python -c '' 2>/dev/null; then
    exit 0
fi

rm -rf .bench
trap 'rm -rf .bench; exit 130' INT TERM
"${PYTHON:-python3}" -m venv .bench
.bench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints/bench.txt \
    -e '.[langchain,llama-index]' \
    langchain-openai langchain-mistralai llama-index-llms-openai llama-index-llms-openai-like
printf '%s\n' "$wanted" > "$stamp"
