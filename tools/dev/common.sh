# Shared by all verbs: messages, phases with their duration, checks of the machine.
# NO_COLOR (no-color.org) and a pipe on stderr switch the colours off.

if [ -z "${NO_COLOR:-}" ] && [ -t 2 ]; then
  c_bold=$'\e[1m' c_red=$'\e[31m' c_green=$'\e[32m' c_off=$'\e[0m'
else
  c_bold='' c_red='' c_green='' c_off=''
fi

cache=$root/.cache
jobs=$(nproc 2>/dev/null || echo 2)

# say TEXT...: one short line about what happens now. On stderr, so that output stays usable in pipes.
say() { printf '%s\n' "${c_bold}==${c_off} $*" >&2; }

# die PROBLEM NEXT_STEP: one line with both, then the end.
die() {
  printf '%s\n' "${c_red}error:${c_off} $1${2:+; next: $2}" >&2
  exit 1
}

# phase NAME COMMAND...: runs the command, says how long it took, returns its status.
phase() {
  local name=$1 begin=$SECONDS status=0
  shift
  say "$name"
  "$@" || status=$?
  if [ $status -eq 0 ]; then
    printf '%s\n' "   ${c_green}done${c_off} $name: $((SECONDS - begin)) s" >&2
  else
    printf '%s\n' "   ${c_red}failed${c_off} $name: $((SECONDS - begin)) s" >&2
  fi
  return $status
}

# need_disk MIB: stops early where a build would stop late.
need_disk() {
  local free
  free=$(($(df --output=avail -k "$root" | tail -1) / 1024))
  [ "$free" -ge "$1" ] || die "only $free MiB free under $root, this needs about $1 MiB" \
    "free some space (rm -rf build-* .cache) and try again"
}

# quietly COMMAND...: shows what the command printed only if it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  [ $status -eq 0 ] || cat "$log" >&2
  rm -f "$log"
  return $status
}
