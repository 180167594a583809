#!/bin/sh
# Let this machine work for a classroom's cluster:
#
#     sh scripts/cluster/start_worker.sh HEAD:6379 [more options of `ray start`, such as --num-cpus=8]
#
# It offers all its cores and GPUs, and runs until Ctrl-C. The token must be here already.
. "$(dirname "$0")/common.sh"
need_address "${1:-}" "start_worker.sh HEAD:6379 [--num-cpus=N] [--num-gpus=N]"
head=$1
shift
if [ -z "${RAY_AUTH_TOKEN:-}${RAY_AUTH_TOKEN_PATH:-}" ] && [ ! -s "$HOME/.ray/auth_token" ]; then
    echo "No token here. On the head: scp ~/.ray/auth_token THIS-MACHINE:.ray/auth_token"
    exit 1
fi
ray start --block --address="$head" "$@"
