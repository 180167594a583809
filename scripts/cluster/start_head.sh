#!/bin/sh
# Start the head of a classroom's cluster on this machine:
#
#     sh scripts/cluster/start_head.sh ADDRESS [more options of `ray start`]
#
# ADDRESS is this machine's, as the others reach it. The head keeps the books and gives out no core.
# It runs until Ctrl-C. The dashboard stays on this machine: ssh -L 8265:127.0.0.1:8265 ADDRESS
. "$(dirname "$0")/common.sh"
need_address "${1:-}" "start_head.sh ADDRESS [--num-cpus=N]"
address=$1
shift
if [ -z "${RAY_AUTH_TOKEN:-}${RAY_AUTH_TOKEN_PATH:-}" ] && [ ! -s "$HOME/.ray/auth_token" ]; then
    ray get-auth-token --generate > /dev/null
    chmod 600 "$HOME/.ray/auth_token"
    echo "Made a token: $HOME/.ray/auth_token. Workers and participants need the same file."
fi
echo "Workers:   sh scripts/cluster/start_worker.sh $address:${PORT:-6379}"
echo "Notebooks: RAY_ADDRESS=$address:${PORT:-6379}, with the token in ~/.ray/auth_token"
ray start --head --block --disable-usage-stats --node-ip-address="$address" --port="${PORT:-6379}" \
    --ray-client-server-port=10001 --dashboard-host=127.0.0.1 --num-cpus=0 --num-gpus=0 "$@"
