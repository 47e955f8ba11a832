#!/bin/sh
# Makes .venv with all that the demo and the tests need, unless it is there and up to date.
# PYTHON=/path/to/python chooses the interpreter. The stamp is written last, so that a .venv
# whose making was interrupted is made again. With the argument "heavy" it adds the vector store and Ray.
set -eu
cd "$(dirname "$0")/.."

stamp=.venv/.ready
wanted=$(cat pyproject.toml constraints/dev.txt | cksum)

if [ "${1:-}" = heavy ]; then
    if command -v uv >/dev/null; then
        uv pip install --quiet --python .venv/bin/python -c constraints/dev.txt --group heavy
    else
        .venv/bin/python -m pip install --quiet --disable-pip-version-check \
            -c constraints/dev.txt --group heavy
    fi
    exit 0
fi

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

say() { printf '%s\n' "$*" >&2; }
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if new_enough "$candidate"; then
        python=$candidate
        break
    fi
done
has_uv=$(command -v uv || true)

if [ -z "$python" ] && [ -z "$has_uv" ]; then
    found=$(python3 --version 2>/dev/null || echo 'no python3')
    say "Python 3.11 or newer is needed, and $found was found. Install one (or uv), or name it:"
    say "    make PYTHON=/path/to/python3.12 ..."
    exit 1
fi

say "Setting up .venv; this takes about a minute the first time."
rm -rf .venv
trap 'rm -rf .venv; exit 130' INT TERM
if [ -n "$has_uv" ]; then
    uv venv --quiet --python "${python:-3.12}" .venv
    uv pip install --quiet --python .venv/bin/python -c constraints/dev.txt \
        -e '.[all]' --group dev
else
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        say "This Python has no venv module of its own. On Debian or Ubuntu: apt install python3-venv"
        exit 1
    fi
    "$python" -m venv .venv
    # Dependency groups need pip 25.1.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        -c constraints/dev.txt -e '.[all]' --group dev
fi
printf '%s\n' "$wanted" > "$stamp"
