#!/bin/sh
# Makes an environment beside .venv, unless it is there and up to date: $1 is its folder, the rest
# are arguments of `pip install`. PYTHON=/path/to/python chooses the interpreter, when it is made.
set -eu
cd "$(dirname "$0")/.."
. scripts/python.sh

folder=$1
shift
stamp=$folder/.ready
wanted=$(
    printf '%s\n' "$@" |
        cat - pyproject.toml constraints/*.txt scripts/environment.sh aimlapi_core/_version.py | cksum
)
check_named
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$folder/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

choose
check_chosen
python=$(behind "$python")
say "Setting up $folder; this takes about a minute."
rm -rf "$folder"
trap 'rm -rf "$folder"; exit 130' INT TERM
make_venv "$folder"
# Dependency groups need pip 25.1.
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
printf '%s\n' "$wanted" > "$stamp"
