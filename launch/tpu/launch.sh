#!/bin/bash
# Train on a Cloud TPU slice: ask for it, install, train on every worker.
#
#   bash launch/tpu/launch.sh create  --name med --project P --zone us-east5-a --type v5p-256     queued until there is room
#   bash launch/tpu/launch.sh status  --name med --project P --zone us-east5-a                    ACTIVE: go on
#   bash launch/tpu/launch.sh install --name med --project P --zone us-east5-a
#   bash launch/tpu/launch.sh train   --name med --project P --zone us-east5-a -- --config configs/... --set run.dir=/data/run
#   bash launch/tpu/launch.sh logs | stop | delete   ...           stop saves a checkpoint; `train` again goes on from it
#
# Options: --type v4-N, v5p-N (N cores: two a chip), v5litepod-N or v6e-N (N chips); --spot; --reserved; --network NAME;
# --runtime VERSION, if the default of the generation is not wanted; --dry-run prints the commands and runs nothing.
# The run folder and the data must be on a disk that all workers see (Filestore, or a bucket mounted on each).
set -euo pipefail

# shellcheck source=launch/functions.sh
source "$(dirname "$0")/../functions.sh"
# The value of an option.
value() { [[ $# -ge 2 && $2 != --* ]] || die "$1 needs a value"; echo "$2"; }

usage="give one of create, status, install, train, logs, stop, delete"
action='' dry_run=0 name='' project='' zone='' type='' runtime='' extra=() arguments=()
while (($#)); do
  case $1 in
    --name) name=$(value "$@"); shift ;;
    --project) project=$(value "$@"); shift ;;
    --zone) zone=$(value "$@"); shift ;;
    --type) type=$(value "$@"); shift ;;
    --runtime) runtime=$(value "$@"); shift ;;
    --network) network=$(value "$@"); extra+=("--network=$network"); shift ;;
    --spot | --reserved) extra+=("$1") ;;
    --dry-run) dry_run=1 ;;
    --) shift; arguments=("$@"); break ;;
    -*) die "$1 is no option of launch.sh; what is for training goes after --" ;;
    *) [[ -z $action ]] || die "$1 beside $action is too much; what is for training goes after --"; action=$1 ;;
  esac
  shift
done
[[ $action =~ ^(create|status|install|train|logs|stop|delete)$ ]] || die "${action:+$action is not known; }$usage"
[[ $name =~ ^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$ ]] || die "--name '$name' must be lower-case letters, digits and hyphens, from a letter on"
[[ $project =~ ^[a-z][a-z0-9:.-]+$ ]] || die "--project '$project' must be the id of your project"
[[ $zone =~ ^[a-z]+-[a-z]+[0-9]+-[a-z]$ ]] || die "--zone '$zone' must be such as us-east5-a"
((dry_run)) || command -v gcloud >/dev/null || die "gcloud is not on the PATH; --dry-run prints the commands without it"
place=("--project=$project" "--zone=$zone")

# A command on every worker, in the copy of this repository there.
on_workers() { run gcloud compute tpus tpu-vm ssh "$name" "${place[@]}" "--worker=$1" "--command=cd melama_jax && $2"; }

case $action in
  create)
    case $type in
      v4-[1-9]*) : "${runtime:=tpu-ubuntu2204-base}" ;;
      v5p-[1-9]*) : "${runtime:=v2-alpha-tpuv5}" ;;
      v5litepod-[1-9]*) : "${runtime:=v2-alpha-tpuv5-lite}" ;;
      v6e-[1-9]*) : "${runtime:=v2-alpha-tpuv6e}" ;;
      *) die "--type '$type' must be v4-N, v5p-N, v5litepod-N or v6e-N, such as v5p-256" ;;
    esac
    [[ ${type#*-} =~ ^[0-9]{1,6}$ ]] || die "--type '$type' must end in a number"
    [[ $type != v4-* && $type != v5p-* ]] || ((${type#*-} % 8 == 0)) \
      || die "--type '$type' must be of a multiple of 8 cores: two a chip, four chips a host"
    run gcloud compute tpus queued-resources create "$name" "--node-id=$name" "${place[@]}" \
      "--accelerator-type=$type" "--runtime-version=$runtime" "${extra[@]}"
    ;;
  status) run gcloud compute tpus queued-resources describe "$name" "${place[@]}" "--format=value(state.state)" ;;
  install)
    repo=$(cd "$(dirname "$0")/../.." && pwd)
    archive=$(mktemp --suffix=.tar.gz)
    trap 'rm -f "$archive"' EXIT
    run git -C "$repo" archive --format=tar.gz "--output=$archive" HEAD
    run gcloud compute tpus tpu-vm scp "$archive" "$name:melama_jax.tar.gz" "${place[@]}" --worker=all
    run gcloud compute tpus tpu-vm ssh "$name" "${place[@]}" --worker=all \
      "--command=mkdir -p melama_jax && tar -xzf melama_jax.tar.gz -C melama_jax && bash melama_jax/launch/tpu/worker.sh install"
    ;;
  train)
    [[ " ${arguments[*]} " == *" --config"[\ =]* ]] || die "give -- --config FILE, a path in the repository or on the workers"
    # It outlives this connection; `logs` shows it.
    on_workers all "{ nohup setsid bash launch/tpu/worker.sh train$(printf ' %q' "${arguments[@]}") >train.log 2>&1 </dev/null & }"
    ;;
  logs) on_workers 0 "tail -n 100 -F train.log" ;;
  stop) on_workers all "bash launch/tpu/worker.sh stop" ;;
  delete) run gcloud compute tpus queued-resources delete "$name" "${place[@]}" --force ;;
esac
