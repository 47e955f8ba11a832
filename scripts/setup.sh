#!/bin/sh
# Makes .venv with all that the demo and the tests need, unless it is there and up to date.
# PYTHON=/path/to/python chooses the interpreter; without it a .venv of any interpreter will do.
# UV=/path/to/uv chooses uv, which is taken where it is found; an empty UV stands for pip alone. The
# stamp is written last, so that a .venv whose making was interrupted is made again; its second line
# is the interpreter. With the name of a dependency group it adds that group and does no more:
# "heavy" for the long tests, "docs" for the handbook, "release" for what checks a distribution,
# "types" for pyright. With "vcrpy" it makes .vcrpy, which holds the newest vcrpy alone.
set -eu
cd "$(dirname "$0")/.."
. scripts/python.sh

stamp=.venv/.ready
wanted=$(cat pyproject.toml constraints/dev.txt scripts/setup.sh aimlapi_core/_version.py | cksum)
uv=${UV-$(command -v uv || true)}

# uv makes hard links to its cache where it can. nltk refuses to read those, and LlamaIndex's
# splitters read data files by it. The option goes before UV_LINK_MODE.
add() {
    if [ -n "$uv" ]; then
        "$uv" pip install --quiet --link-mode copy --python .venv/bin/python "$@"
    elif .venv/bin/python -c 'import pip' 2>/dev/null; then
        .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
    else
        say "This .venv holds no pip: uv made it, and uv is not found now. Install uv, or make .venv"
        say "anew without it: make clean, then the same command again."
        exit 1
    fi
}

# langchain-tests wants vcrpy 8, so .vcrpy is put before .venv on the path.
add_vcrpy() {
    wanted=$(cat constraints/vcrpy.txt)
    [ "$(cat .vcrpy/.ready 2>/dev/null)" != "$wanted" ] || return 0
    rm -rf .vcrpy
    add --target .vcrpy --no-deps -r constraints/vcrpy.txt
    printf '%s\n' "$wanted" > .vcrpy/.ready
}

is_ready() {
    [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" = "$wanted" ] || return 1
    .venv/bin/python -c '' 2>/dev/null || return 1
    [ -z "${PYTHON:-}" ] || grep -qxF "$(at "$PYTHON")" "$stamp"
}

check_named
case ${1:-} in
'') ! is_ready || exit 0 ;;
vcrpy) add_vcrpy; exit ;;
*) add -c constraints/dev.txt --group "$1"; exit ;;
esac

choose
[ -n "$uv" ] || check_chosen
[ -z "$python" ] || python=$(behind "$python")

say "Setting up .venv; this takes about a minute the first time."
rm -rf .venv
trap 'rm -rf .venv; exit 130' INT TERM
if [ -n "$uv" ]; then
    "$uv" venv --quiet --python "${python:-3.12}" .venv
else
    make_venv .venv
    add 'pip>=25.1' # for dependency groups
fi
add -c constraints/dev.txt -e '.[all]' --group dev
printf '%s\n' "$wanted" "$(at "${python:-.venv/bin/python}")" > "$stamp"
