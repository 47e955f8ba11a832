#!/bin/sh
# Makes .venv with all that the demo and the tests need, unless it is there and up to date.
# PYTHON=/path/to/python chooses the interpreter; without it a .venv of any interpreter will do. The
# stamp is written last, so that a .venv whose making was interrupted is made again; its second line
# is the interpreter. With the name of a dependency group it adds that group and does no more:
# "heavy" for the long tests, "docs" for the handbook, "release" for what checks a distribution.
set -eu
cd "$(dirname "$0")/.."
. scripts/python.sh

stamp=.venv/.ready
wanted=$(cat pyproject.toml constraints/dev.txt aimlapi_core/_version.py | cksum)
has_uv=$(command -v uv || true)

add_group() {
    if [ -n "$has_uv" ]; then
        uv pip install --quiet --python .venv/bin/python -c constraints/dev.txt --group "$1"
    elif .venv/bin/python -c 'import pip' 2>/dev/null; then
        .venv/bin/python -m pip install --quiet --disable-pip-version-check \
            -c constraints/dev.txt --group "$1"
    else
        say "This .venv holds no pip: uv made it, and uv is not found now. Install uv, or make .venv"
        say "anew without it: make clean, then the same command again."
        exit 1
    fi
}

is_ready() {
    [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" = "$wanted" ] || return 1
    .venv/bin/python -c '' 2>/dev/null || return 1
    [ -z "${PYTHON:-}" ] || grep -qxF "$(at "$PYTHON")" "$stamp"
}

check_named
if [ -n "${1:-}" ]; then
    add_group "$1"
    exit 0
fi
if is_ready; then
    exit 0
fi

choose
[ -n "$has_uv" ] || check_chosen
[ -z "$python" ] || python=$(behind "$python")

say "Setting up .venv; this takes about a minute the first time."
rm -rf .venv
trap 'rm -rf .venv; exit 130' INT TERM
if [ -n "$has_uv" ]; then
    uv venv --quiet --python "${python:-3.12}" .venv
    uv pip install --quiet --python .venv/bin/python -c constraints/dev.txt \
        -e '.[all]' --group dev
else
    make_venv .venv
    # Dependency groups need pip 25.1.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        -c constraints/dev.txt -e '.[all]' --group dev
fi
printf '%s\n' "$wanted" "$(at "${python:-.venv/bin/python}")" > "$stamp"
