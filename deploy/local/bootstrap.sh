#!/bin/sh
# Makes .venv from requirements.lock on a machine with nothing but Python (3.11 or newer). Run by the Makefile when the lock changes.
set -eu
cd "$(dirname "$0")/../.."

say() { echo "bootstrap: $*" >&2; }
give_up() { say "$*"; exit 1; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

install_venv_module() {
    if [ "$(id -u)" = 0 ]; then root=""
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then root="sudo -n"
    else return 1
    fi
    command -v apt-get >/dev/null || return 1
    say "installing python3-venv with apt-get"
    apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120"
    # Lists are refreshed only if need be: it is the slow part.
    $apt install -y --no-install-recommends python3-venv >/dev/null 2>&1 </dev/null ||
        { $apt update && $apt install -y --no-install-recommends python3-venv; } >/dev/null </dev/null
}

python=$(find_python) || give_up "needs Python 3.11 or newer. Install with: apt-get install python3 python3-venv"

# A checkout that was moved, or whose Python was upgraded, has an environment that no longer runs.
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || ! [ -x .venv/bin/pip ]; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_module ||
        give_up "Python's venv module is missing. Install with: apt-get install python3-venv"
    say "making .venv with $("$python" --version)"
    "$python" -m venv .venv
fi

# uv installs the hundred-odd packages in seconds; it comes from the same hashed lock as they do.
pip() { .venv/bin/python -m pip --disable-pip-version-check -qq "$@"; }
awk '/^[^ #]/ { mine = /^uv==/ } mine' requirements.lock > .venv/uv.txt
pip install --require-hashes --no-deps -r .venv/uv.txt

say "installing what requirements.lock names"
uv() { VIRTUAL_ENV=$PWD/.venv .venv/bin/uv --quiet "$@"; }
# uv does not read pip's configuration: where packages come from somewhere that only pip was told of, pip can still do it.
uv pip install --require-hashes -r requirements.lock ||
    { say "uv could not; trying pip"; pip install --require-hashes -r requirements.lock; }

# Editable, built by the backend that the lock holds: no download, and `traboule` lands in .venv/bin.
pip install --no-deps --no-build-isolation --no-index -e .
touch .venv/ready
