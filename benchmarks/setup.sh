#!/bin/sh
# Makes .bench: an environment with the peers at pinned versions and this project, unless it is
# there and up to date. PYTHON=/path/to/python chooses the interpreter, when it is made.
set -eu
cd "$(dirname "$0")/.."
. scripts/python.sh

stamp=.bench/.ready
wanted=$(cat pyproject.toml constraints/bench.txt benchmarks/setup.sh | cksum)
check_named
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .bench/bin/python -c '' 2>/dev/null; then
    exit 0
fi

choose
check_chosen
python=$(behind "$python")
rm -rf .bench
trap 'rm -rf .bench; exit 130' INT TERM
make_venv .bench
.bench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints/bench.txt \
    -e '.[langchain,llama-index]' \
    langchain-openai langchain-mistralai llama-index-llms-openai llama-index-llms-openai-like
printf '%s\n' "$wanted" > "$stamp"
