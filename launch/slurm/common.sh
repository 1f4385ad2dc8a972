# shellcheck shell=bash
# What pretrain.sbatch and instruct.sbatch share: checks, the environment, pre-flight, training, and back into the queue.

# shellcheck source=launch/functions.sh
source "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

say() { echo "launch: $*"; }

# The flags of the hardware.
choose_flags() {
  local hardware=$MELAMA_HARDWARE name file
  if [[ -z $hardware ]]; then
    name=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1)
    case $name in
      *A100*) hardware=a100 ;; *H100*) hardware=h100 ;; *H200*) hardware=h200 ;;
      *) say "no XLA and NCCL flags set: ${name:-no NVIDIA GPU} here (MELAMA_HARDWARE names a file of launch/env)" && return ;;
    esac
  fi
  [[ $hardware == none ]] && return
  file=$repo/launch/env/$hardware.env
  [[ -f $file ]] || die "MELAMA_HARDWARE is $hardware, but there is no $file"
  read_env_file "$file"
  say "flags of $file"
}

# What each process is started with: `inside` before python, `step` options of srun.
choose_environment() {
  local mounts=$repo${MELAMA_MOUNTS:+,$MELAMA_MOUNTS} name
  [[ $PWD == "$repo" || $PWD == "$repo"/* ]] || mounts+=,$PWD
  if [[ -z $MELAMA_CONTAINER ]]; then
    [[ -n $MELAMA_VENV || ! -x $repo/.venv/bin/python ]] || MELAMA_VENV=$repo/.venv
    python=${MELAMA_VENV:+$MELAMA_VENV/bin/}python3
    if ((dry_run)); then return; fi
    command -v "$python" >/dev/null || die "no Python at $python; MELAMA_VENV must be a virtual environment that every node sees"
    "$python" -c 'import importlib.util as u, sys; sys.exit(not u.find_spec("jax"))' \
      || die "$(command -v "$python") has no jax; install the project there (README), or set MELAMA_VENV to where it is"
  elif [[ $MELAMA_CONTAINER == *.sif ]]; then
    [[ -f $MELAMA_CONTAINER ]] || die "MELAMA_CONTAINER $MELAMA_CONTAINER does not exist"
    # The image's own variables would go before ours.
    for name in "${exported[@]}"; do export "APPTAINERENV_$name=${!name}"; done
    inside=(apptainer exec --nv --bind "$mounts" --pwd "$PWD" "$MELAMA_CONTAINER")
  else
    mounts=$(printf '%s' "$mounts" | sed 's/[^,]*/&:&/g')
    step+=("--container-image=$MELAMA_CONTAINER" "--container-mounts=$mounts" "--container-workdir=$PWD")
    step+=("--container-env=$(IFS=,; echo "${exported[*]}")")
  fi
}

# Devices of the whole job: the GPUs that SLURM gave, or one CPU device per process unless XLA was told otherwise.
count_devices() {
  local per_process=1 gpus=${SLURM_GPUS_ON_NODE:-0}
  if ((gpus)) && [[ ${JAX_PLATFORMS:-} != cpu ]]; then
    echo $((SLURM_JOB_NUM_NODES * gpus))
  else
    [[ ${XLA_FLAGS:-} =~ xla_force_host_platform_device_count=([0-9]+) ]] && per_process=${BASH_REMATCH[1]}
    echo $((${SLURM_NTASKS:-1} * per_process))
  fi
}

# Outside of a job: what the #SBATCH lines of the script ask for.
read_sbatch_lines() {
  local words tasks=1
  words=" $(sed -n 's/^#SBATCH *//p' "$0" | tr '\n' ' ')"
  [[ -n ${SLURM_JOB_NUM_NODES:-} || ! $words =~ \ --nodes=([0-9]+) ]] || SLURM_JOB_NUM_NODES=${BASH_REMATCH[1]}
  [[ -n ${SLURM_GPUS_ON_NODE:-} || ! $words =~ \ --gres=gpu(:[a-z][^:\ ]*)?:([0-9]+) ]] || SLURM_GPUS_ON_NODE=${BASH_REMATCH[2]}
  [[ ! $words =~ \ --ntasks-per-node=([0-9]+) ]] || tasks=${BASH_REMATCH[1]}
  : "${SLURM_JOB_NUM_NODES:=1}" "${SLURM_GPUS_ON_NODE:=0}" "${SLURM_NTASKS:=$((SLURM_JOB_NUM_NODES * tasks))}"
  echo "# in: salloc --nodes=$SLURM_JOB_NUM_NODES --gres=gpu:$SLURM_GPUS_ON_NODE --ntasks-per-node=$tasks"
}

# Whether restarts lead anywhere. The run folder holds, for the job: the newest step at its last restart, restarts in a row
# that did not move it, and restarts after failures.
note_restart() {
  local file=$run/.restarts job='' last='' stalled=0 failures=0 step
  [[ ! -f $file ]] || read -r job last stalled failures <"$file"
  [[ $job == "$id" ]] || last='' stalled=0 failures=0
  step=$(newest_step "$run")
  if [[ $step == "$last" ]]; then stalled=$((stalled + 1)); else stalled=0; fi
  if ((status != code)); then
    ((failures < MELAMA_RETRIES)) || { say "$1; the $MELAMA_RETRIES restart(s) of MELAMA_RETRIES are used up"; return 1; }
    failures=$((failures + 1))
  elif ((stalled >= 2)); then
    say "$1; not requeued: two restarts brought no newer checkpoint (step: $step). Give more --time, and submit it again"
    return 1
  fi
  { mkdir -p "$run" && echo "$id $step $stalled $failures" >"$file"; } 2>/dev/null && return
  say "$1; not requeued: restarts are counted in $file, which cannot be written"
  return 1
}

# Put the job back into the queue; what happened is said first.
requeue() {
  # Only a job that still runs: one that was cancelled, or requeued by someone else, gets its SIGTERM too. An array's last
  # task has the number of the whole array.
  local state id=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
  : "${id:=$SLURM_JOB_ID}"
  state=$(squeue --noheader --jobs="$id" --format=%T 2>/dev/null)
  if [[ $state != RUNNING ]]; then
    say "$1; SLURM is ending the job by itself (${state:-gone}: cancelled, requeued or preempted), so that is left to it"
  elif ! note_restart "$1"; then
    return
  elif scontrol requeue "$id"; then
    say "$1; requeued, and it will go on from the last checkpoint"
    exit 0
  else
    say "$1; SLURM does not requeue this job: submit it again with the same command to go on"
  fi
}

# launch [--dry-run] --config FILE [--set KEY=VALUE ...]
launch() {
  local dry_run=0 arguments=() exported=(PYTHONPATH PYTHONUNBUFFERED) inside=() step=() python=python3
  local repo config='' i status plan code run
  for i in "$@"; do
    if [[ $i == --dry-run ]]; then dry_run=1; else arguments+=("$i"); fi
  done
  repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  if [[ -n ${SLURM_ARRAY_TASK_ID:-} ]]; then
    [[ ${arguments[*]} == *%a* ]] || \
      die "a job array needs %a in its arguments, such as --config configs/%a.yaml or --set run.dir=runs/%a"
    arguments=("${arguments[@]//\%a/$SLURM_ARRAY_TASK_ID}")
  fi
  for ((i = 0; i < ${#arguments[@]}; i++)); do
    case ${arguments[i]} in --config) config=${arguments[i + 1]:-} ;; --config=*) config=${arguments[i]#*=} ;; esac
  done
  [[ -n $config ]] || die "give --config FILE, such as --config configs/pretrain/own_text.yaml"
  [[ -f $config ]] || die "--config $config: no such file in $PWD"
  ((dry_run)) || [[ -n ${SLURM_JOB_ID:-} ]] || die "submit this file with sbatch, or see its commands with --dry-run"

  unset SLURM_LABELIO # the plan is read below
  [[ -n ${SLURM_JOB_ID:-} ]] || read_sbatch_lines
  say "$(date '+%F %T'): job ${SLURM_JOB_ID:-none} on ${SLURM_JOB_NUM_NODES:-?} node(s) ${SLURM_JOB_NODELIST:-}," \
    "${SLURM_NTASKS:-?} process(es), restart ${SLURM_RESTART_COUNT:-0}"
  export PYTHONPATH=$repo${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
  choose_flags
  if ((${SLURM_GPUS_ON_NODE:-0})); then # never on CPUs by mistake
    export JAX_PLATFORMS=${JAX_PLATFORMS:-cuda,cpu}
    exported+=(JAX_PLATFORMS)
  fi
  choose_environment
  if ((dry_run)); then for i in "${exported[@]}"; do echo "export $i=${!i@Q}"; done; fi
  # The shell waits for the step, which SLURM tells by itself, and says how it ended.
  trap : TERM

  # The configuration against the devices, by one process, so that a mistake is said once.
  plan=$(mktemp)
  run srun "${step[@]}" --nodes=1 --ntasks=1 --ntasks-per-node=1 "${inside[@]}" env JAX_PLATFORMS=cpu \
    "$python" -m melama_jax.train --dry-run --devices "$(count_devices)" "${arguments[@]}" >"$plan"
  status=$?
  code=$(sed -n 's/^  requeue_exit_code: //p' "$plan")
  code=${code:-75}
  # A long value goes on in the next line; one with odd characters has quotes.
  run=$(sed -n '/^run:/,/^[^ r]/{s/^  dir: //p; s/^    //p}' "$plan" | paste -sd ' ')
  if [[ $run == \'*\' ]]; then run=${run:1:-1} && run=${run//\'\'/\'}; fi
  rm -f "$plan"
  ((status == 0)) || exit "$status"

  # A process that dies takes the others with it at once; one that hangs after the others ended, within a minute.
  step+=(--label --cpu-bind=none --kill-on-bad-exit=1 --wait=60)
  if ((MELAMA_PREFLIGHT)); then
    run srun "${step[@]}" "${inside[@]}" "$python" -m melama_jax.preflight "${arguments[@]}"
    status=$?
    if ((status)); then
      say "pre-flight failed with status $status, so training was not started (MELAMA_PREFLIGHT=0 leaves it out)"
      exit "$status"
    fi
  fi
  run srun "${step[@]}" "${inside[@]}" "$python" -m melama_jax.train "${arguments[@]}"
  status=$?
  if ((dry_run)); then
    echo "# after exit status $code (saved on request): scontrol requeue \$SLURM_JOB_ID"
    exit 0
  fi
  if ((status && status == code)); then
    requeue saved
  elif ((status && status != 2 && MELAMA_RETRIES)); then
    requeue "training failed with status $status"
  fi
  ((status != 138)) || say "SIGUSR1 came before training could take it: --time is too short for --signal"
  say "$(date '+%F %T'): training ended with status $status"
  exit "$status"
}
