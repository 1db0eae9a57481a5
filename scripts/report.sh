# Sourced by the scripts: one line per step, one line per failure, details in a log file.

# say TEXT: a progress line.
say() { printf '%s\n' "$*"; }

# die TEXT: the one line that says what is wrong and what to do.
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# log_file NAME: the path of an empty log file for the step NAME.
log_file() {
  local folder
  folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build/log
  mkdir -p "$folder" 2>/dev/null && : 2>/dev/null >"$folder/$1.log" || die "cannot write to $folder. Use a checkout of your own."
  printf '%s\n' "$folder/$1.log"
}

# explain LOG WHAT: why the step WHAT that wrote LOG failed, as one line.
explain() {
  local log=$1 what=$2
  if grep -qi 'no space left on device\|not enough free space' "$log"; then
    die "$what: the disk is full. Free some space and start again."
  fi
  if grep -qiE 'temporary failure (resolving|in name resolution)|could not resolve|name or service not known|network is unreachable|connection refused|could not connect|failed to establish a new connection|connection timed out|read timed out|unable to locate package' "$log"; then
    die "$what: no network. Connect this machine (or set its proxy) and start again."
  fi
  if grep -q 'Could not get lock' "$log"; then
    die "$what: another package installation is running. Wait until it ends and start again."
  fi
  die "$what failed: $(grep -m 1 -E '\berror:|^ERROR|^E: ' "$log" || tail -n 1 "$log"). Details: $log"
}

# need_space FOLDER MIB WHAT: stop before anything is written when FOLDER's disk has less than MIB free.
need_space() {
  local folder=$1 free
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  free=$(($(df -Pk "$folder" | awk 'NR == 2 { print $4 }') / 1024))
  [ "$free" -ge "$2" ] || die "disk full: $3 needs $2 MB in $1 and $free MB are free. Free some space and start again."
}
