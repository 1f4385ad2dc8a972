#!/bin/bash
# What launch.sh runs on each worker of a slice, in the copy of the repository there: install, train ARGUMENTS, stop.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=launch/functions.sh
source launch/functions.sh
python=.venv/bin/python

# Whether the process of worker.pid is still a worker: the file may be older than the machine's last start.
at_work() { [[ -f worker.pid ]] && grep -qs worker.sh "/proc/$(<worker.pid)/cmdline"; }

# What the configuration says of restarts.
asked='from melama_jax.config import parse_command_line as parse
run = parse("")[0].run
print(run.requeue_exit_code, run.dir)'

# A command that a SIGTERM to this script reaches, also one that comes while it starts; `status` is how it ended.
await() {
  status=75
  ((!stopping)) || return
  "$@" &
  child=$!
  ((!stopping)) || kill -TERM "$child"
  while kill -0 "$child" 2>/dev/null; do wait "$child"; done # a trapped signal ends a wait
  wait "$child"
  status=$?
  child=''
}

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
    at_work && die "process $(<worker.pid) is training here; launch.sh stop ends it"
    exported=() stopping=0 child='' stalled=0 last=''
    [[ ! -f launch/env/tpu.env ]] || read_env_file launch/env/tpu.env
    export PYTHONUNBUFFERED=1
    trap 'stopping=1; [[ -z $child ]] || kill -TERM "$child"' TERM
    trap 'rm -f worker.pid' EXIT
    echo $$ >worker.pid
    await "$python" -m melama_jax.preflight "$@"
    ((status == 0)) || exit "$status"
    read -r code run < <("$python" -c "$asked" "$@")
    while :; do
      await "$python" -m melama_jax.train "$@"
      # Saved on request. Unless it was `launch.sh stop` that asked, as before maintenance of the host, it goes on.
      ((status == ${code:-75} && !stopping)) || break
      step=$(newest_step "$run")
      if [[ $step == "$last" ]]; then stalled=$((stalled + 1)); else stalled=0 last=$step; fi
      ((stalled < 2)) || { echo "two restarts brought no newer checkpoint (step: $step), so it is not started again"; break; }
      await sleep 10
    done
    echo "training ended with status $status"
    exit "$status"
    ;;
  stop)
    if at_work; then kill -TERM "$(cat worker.pid)"; else echo "nothing is training here"; fi
    ;;
esac
