# What the head and the workers of a classroom's cluster share. Read by start_head.sh and start_worker.sh.
set -eu
cd "$(dirname "$0")/../.."
PY=${PY:-.venv/bin/python}
[ -x "$PY" ] || { echo "No $PY here: run 'make setup' first, or say PY=/path/to/python."; exit 1; }
"$PY" scripts/cluster/check_versions.py

# Nobody gets in without the token. Ray reads it from this variable's file, or from ~/.ray/auth_token.
export RAY_AUTH_MODE=token
export RAY_USAGE_STATS_ENABLED=0
# A machine that vanishes is noticed within about ten seconds; by default it takes up to a minute.
export RAY_health_check_initial_delay_ms=5000
export RAY_health_check_period_ms=1500
export RAY_health_check_timeout_ms=2000
export RAY_health_check_failure_threshold=3

# The command `ray`, which on a slow machine waits longer than the 15 s that Ray gives itself.
ray() { "$PY" "${RAY_COMMAND:-course_lib/cluster/ray_inside.py}" "$@"; }

need_address() {
    case "${1:-}" in
        "" | -*) echo "usage: sh scripts/cluster/$2"; exit 2 ;;
    esac
}
