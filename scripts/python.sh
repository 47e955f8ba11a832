# Which Python an environment is made with. Read by setup.sh and environment.sh.

say() { printf '%s\n' "$*" >&2; }
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# The interpreter behind a name: not the one of an environment, which may be about to be removed.
behind() { "$1" -c 'import sys; print(getattr(sys, "_base_executable", "") or sys.executable)'; }

# The same for all names of one interpreter.
at() { "$1" -c 'import os, sys; print(os.path.realpath(sys.argv[1]))' "$(behind "$1")"; }

# Ends the program where PYTHON names nothing that will do: no other is taken in its place.
check_named() {
    if [ -z "${PYTHON:-}" ] || new_enough "$PYTHON"; then
        return
    fi
    found=$("$PYTHON" -c 'import sys; print("Python %d.%d.%d" % sys.version_info[:3])' 2>/dev/null) ||
        found='no program that runs Python'
    say "Python 3.11 or newer is needed, and PYTHON=$PYTHON is $found."
    exit 1
}

# Sets $python: what PYTHON names, else the first that is new enough, else nothing.
choose() {
    python=${PYTHON:-}
    [ -z "$python" ] || return 0
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if new_enough "$candidate"; then
            python=$candidate
            return
        fi
    done
}

# Ends the program where there is no Python.
check_chosen() {
    [ -z "$python" ] || return 0
    found=$(python3 --version 2>/dev/null || echo 'no python3')
    say "Python 3.11 or newer is needed, and $found was found. Install one (or uv), or name it:"
    say "    make PYTHON=/path/to/python3.12 ..."
    exit 1
}

# Makes the environment $1 by that Python's own means.
make_venv() {
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        say "This Python has no venv module of its own. On Debian or Ubuntu: apt install python3-venv"
        exit 1
    fi
    "$python" -m venv "$1"
}
