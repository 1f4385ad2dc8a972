# shellcheck shell=bash
# What the launch scripts share.

die() { echo "error: $*" >&2; exit 2; }

# run COMMAND...: print it as it can be pasted, and run it unless `dry_run` is 1.
run() {
  local word line=+
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9_./:=,+@%#-]+$ ]] || word=${word@Q}
    line+=" $word"
  done
  echo "$line" >&3
  ((${dry_run:-0})) || "$@"
}
exec 3>&1

# newest_step RUN: the step of the newest checkpoint in a run folder, or none.
newest_step() {
  local folder step newest=none
  for folder in "$1"/checkpoints/[0-9]*; do
    step=${folder##*/}
    [[ $step =~ ^[0-9]{1,18}$ ]] || continue # one that is being written has another name
    if [[ $newest == none ]] || ((10#$step > 10#$newest)); then newest=$step; fi
  done
  echo "$newest"
}

# read_env_file FILE: export its KEY=value lines, and add their names to the array `exported`. A variable that is set already
# keeps its value, except those that hold many flags: yours come after the file's, and of two that differ the last counts.
read_env_file() {
  local line key value
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line =~ ^[[:space:]]*([A-Z][A-Z0-9_]*)=(.*)$ ]] || continue
    key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]] && value=${BASH_REMATCH[1]}
    case $key in
      XLA_FLAGS | LIBTPU_INIT_ARGS) value+=${!key:+ ${!key}} ;;
      *) [[ ! -v $key ]] || value=${!key} ;;
    esac
    export "$key=$value"
    exported+=("$key")
  done <"$1"
}
