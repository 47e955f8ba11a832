#!/bin/sh
# Sets up copies of this checkout and runs there what reads data files of other packages: once with
# uv, told by its environment to make hard links to a cache on the same file system, and once with
# pip alone. "uv" or "pip" as an argument does one of them. Where there is no uv it is installed
# into an environment that is removed at the end, as the copies are.
set -eu
cd "$(dirname "$0")/.."
. scripts/python.sh

check_named
choose
check_chosen
python=$(behind "$python")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

find_uv() {
    uv=${UV:-$(command -v uv || true)}
    [ -z "$uv" ] || return 0
    make_venv "$folder/tools"
    "$folder/tools/bin/python" -m pip install --quiet --disable-pip-version-check uv
    uv=$folder/tools/bin/uv
}

# Under the name $1, with the environment variables that follow.
try() {
    say "Setting up with $1."
    copy=$folder/$1
    shift
    mkdir "$copy"
    git ls-files -z --cached --others --exclude-standard |
        tar -c --null -T - -f - | tar -x -C "$copy" -f -
    (
        cd "$copy"
        export PYTHON="$python" AIMLAPI_API_KEY= "$@" # the emulator answers
        sh scripts/setup.sh
        .venv/bin/python -m scripts.examples llama_index_ingestion
        .venv/bin/python -m pytest -q tests/llama_index/test_ingestion.py
    )
    rm -rf "$copy"
}

for way in ${*:-uv pip}; do
    case $way in
    uv)
        find_uv
        : > "$folder/file"
        ln "$folder/file" "$folder/link" # where there are no hard links this would show nothing
        try uv UV="$uv" UV_CACHE_DIR="$folder/cache" UV_LINK_MODE=hardlink
        ;;
    pip) try pip UV= ;;
    *) say "Not $way: uv or pip."; exit 1 ;;
    esac
done
