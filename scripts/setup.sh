#!/bin/sh
# Make .venv with every package at the version in requirements.lock. Safe to run again, to interrupt and
# to repeat: the environment counts as made only when the stamp in it says so.
set -eu
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
stamp=$venv/.course-ready
wanted=$(cat requirements.lock pyproject.toml scripts/setup.sh | cksum)

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

say() { printf '\n[%s] %s\n' "$1" "$2"; }

say 1/4 "Looking for Python 3.12 or 3.13"
python=$(sh scripts/find_python.sh)
"$python" -c 'import sys; print("      using", sys.version.split()[0], "at", sys.executable)'

free_gb=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
need_gb=8
if [ ! -d "$venv" ] && [ "$free_gb" -lt "$need_gb" ]; then
    echo "error: the packages need about $need_gb GB here and $free_gb GB are free;" \
        "free some space, then run the same command again." >&2
    exit 1
fi

say 2/4 "Making the environment in $venv"
rm -f "$stamp"
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    [ ! -e "$venv" ] || echo "      $venv is half made: starting it afresh"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
# An environment made with another Python, or broken, is made afresh rather than mended.
if ! "$venv/bin/python" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 13))'; then
    echo "      $venv holds another Python: starting it afresh"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

say 3/4 "Installing $(grep -c == requirements.lock) packages (up to 3 GB on Linux; usually 3 to 10 minutes, the last one or two without a word)"
# --no-deps: the lock is complete, and TensorTrade's own list asks for what the course does without.
attempt=1
until "$venv/bin/python" -m pip install --disable-pip-version-check --no-deps --retries 10 \
    -r requirements.lock; do
    if [ "$attempt" -ge 3 ]; then
        echo "error: the installation failed three times (the reason stands above)." \
            "What was downloaded is kept: run the same command again." >&2
        exit 1
    fi
    attempt=$((attempt + 1))
    echo "      the network let us down; trying again (attempt $attempt of 3)"
    sleep 5
done
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-deps \
    --no-build-isolation --editable .
# JupyterLab would ask about its newsletter, and fetch it, over the venue's Wi-Fi.
"$venv/bin/jupyter" labextension disable --level=sys_prefix \
    '@jupyterlab/apputils-extension:announcements' >/dev/null 2>&1

say 4/4 "Importing every package once"
"$venv/bin/python" scripts/check_imports.py
printf '%s' "$wanted" >"$stamp"
echo
echo "The environment is ready."
