#!/bin/bash
# What launch.sh runs on each worker of a slice, in the copy of the repository there: install, train ARGUMENTS, stop.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=launch/functions.sh
source launch/functions.sh
python=.venv/bin/python

case $1 in
  install)
    # The image's own Python may be older than 3.11; uv brings one.
    command -v python3.11 >/dev/null || { python3 -m pip install --quiet --user uv && python3 -m uv python install 3.12; }
    if command -v python3.11 >/dev/null; then python3.11 -m venv .venv; else python3 -m uv venv --seed --python 3.12 .venv; fi || exit
    "$python" -m pip install --quiet --editable '.[tpu]' && "$python" -c 'import jax; print("jax", jax.__version__)'
    ;;
  train)
    shift
    [[ -x $python ]] || die "no $PWD/$python; run launch.sh install first"
    exported=() stopping=0 child=''
    [[ ! -f launch/env/tpu.env ]] || read_env_file launch/env/tpu.env
    export PYTHONUNBUFFERED=1
    echo $$ >worker.pid
    trap 'stopping=1; [[ -z $child ]] || kill -TERM "$child"' TERM
    "$python" -m melama_jax.preflight "$@" || exit
    while :; do
      "$python" -m melama_jax.train "$@" &
      child=$!
      while kill -0 "$child" 2>/dev/null; do wait "$child"; done # a trapped signal ends a wait
      wait "$child"
      status=$?
      # 75: saved on request. Unless it was `launch.sh stop` that asked, as before maintenance of the host, it goes on.
      ((status == 75 && !stopping)) || break
    done
    rm -f worker.pid
    echo "training ended with status $status"
    exit "$status"
    ;;
  stop)
    if [[ -f worker.pid ]]; then kill -TERM "$(cat worker.pid)"; else echo "nothing is training here"; fi
    ;;
esac
