#!/bin/sh
# Print the path of a Python that can run the course (3.12 or 3.13, with venv), or say how to get one.
#
# Looked at, in this order: $PYTHON, the PATH, pyenv, uv, conda, and Homebrew. A candidate counts only
# if it runs: a pyenv shim for a version that is not switched on does not.
set -u

suits() {
    [ -n "$1" ] && [ -x "$1" ] || return 1
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 13))' \
        >/dev/null 2>&1
}

offer() {
    for candidate in "$@"; do
        if suits "$candidate"; then
            printf '%s\n' "$candidate"
            exit 0
        fi
    done
}

if [ -n "${PYTHON:-}" ]; then
    offer "$(command -v "$PYTHON" || true)"
    echo "error: PYTHON is '$PYTHON', which is not a working Python 3.12 or 3.13 with venv." >&2
    exit 1
fi

for name in python3.12 python3.13 python3 python; do
    offer "$(command -v "$name" || true)"
done

# pyenv's root: named, in the home, in the account's home (when HOME points elsewhere), or beside the
# shims on the PATH.
account_home=$(eval "echo ~$(id -un)" 2>/dev/null || true)
shims=$(printf '%s' "$PATH" | tr ':' '\n' | sed -n 's,/shims/*$,,p' | head -n 1)
for root in "${PYENV_ROOT:-}" "${HOME:-}/.pyenv" "$account_home/.pyenv" "$shims"; do
    [ -n "$root" ] || continue
    for version in 3.12 3.13; do
        offer "$root"/versions/"$version"*/bin/python
    done
done

if command -v uv >/dev/null 2>&1; then
    offer "$(uv python find --no-python-downloads 3.12 2>/dev/null || true)"
fi

for home in "${HOME:-}" "$account_home"; do
    offer "${CONDA_PREFIX:-}/bin/python" "$home"/miniforge3/bin/python "$home"/miniconda3/bin/python \
        "$home"/anaconda3/bin/python "$home"/miniforge3/envs/*/bin/python \
        "$home"/miniconda3/envs/*/bin/python "$home"/.local/share/uv/python/cpython-3.12*/bin/python
done
offer /opt/homebrew/opt/python@3.12/bin/python3.12 /usr/local/opt/python@3.12/bin/python3.12

cat >&2 <<'MESSAGE'
error: the course needs Python 3.12 (or 3.13) and found none. Get one with ONE of these, then run the same command again:
  uv python install 3.12   |   pyenv install 3.12   |   brew install python@3.12   |   sudo apt install python3.12-venv   |   conda env create -f environment.yml
MESSAGE
exit 1
