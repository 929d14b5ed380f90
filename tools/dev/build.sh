# ./dev build and ./dev run.

# preset_dir PRESET: the build folder that CMakePresets.json gives it.
preset_dir() { [ "$1" = release ] && echo build || echo "build-$1"; }

# has_target DIR TARGET
has_target() { ninja -C "$1" -t query "$2" >/dev/null 2>&1; }

# compile DIR [TARGET...]: with ninja's own line on a terminal; elsewhere with a line each 30 s and what went wrong.
compile() {
  local dir=$1
  shift
  if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
    ninja -C "$dir" -j "$jobs" "$@"
  else
    NINJA_STATUS='[%f/%t %e] ' ninja -C "$dir" -j "$jobs" "$@" | progress 30
  fi
}

# progress SECONDS: passes on what ninja prints, but of its status lines only the counts, and at most that often.
progress() {
  local line next=$1
  while IFS= read -r line; do
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\ +([0-9]+)\.[0-9]+\]\  ]]; then
      [ "${BASH_REMATCH[3]}" -ge "$next" ] || continue
      printf '   %s of %s steps, %s s\n' "${BASH_REMATCH[@]:1:3}" >&2
      next=$((BASH_REMATCH[3] + $1))
    elif [[ $line != "ninja: Entering directory"* && $line != "ninja: no work to do." ]]; then
      printf '%s\n' "$line"
    fi
  done
}

# configure PRESET [CMAKE_ARG...]: quiet unless it fails. Idempotent and quick when nothing changed.
configure() {
  local preset=$1
  shift
  quietly cmake --preset "$preset" "$@" ||
    die "cmake could not configure preset '$preset'" "read the message above"
  export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root} CCACHE_NOHASHDIR=1
  export CCACHE_SLOPPINESS=pch_defines,time_macros
  export NINJA_STATUS=${NINJA_STATUS:-'[%f/%t %es] '}
}

# with_tests: whether this machine can build the unit tests; `./dev run` and `./dev build` do without them.
with_tests() { [ -z "$(missing "${packages_gtest[@]}" 2>/dev/null)" ] && echo ON || echo OFF; }

dev_build() {
  local preset=${1:-release}
  case $preset in
    release | debug) need_packages "${packages_build[@]}" ;;
    asan | tsan | tidy) need_packages "${packages_build[@]}" "${packages_gtest[@]}" "${packages_clang[@]}" ;;
    *) die "unknown preset '$preset'" "./dev build [release|debug|asan|tsan|tidy]" ;;
  esac
  need_disk 2000
  configure "$preset" -DMILENA_TESTS="$(with_tests)"
  phase "build $preset" compile "$(preset_dir "$preset")" ||
    die "the $preset build failed" "read the first compiler error above"
}

# names_a_file [ARG...]: whether `milena server ARG...` is given a file, which then lies where the caller is.
names_a_file() {
  while [ $# -gt 0 ]; do
    case $1 in
      --override | --port) shift ;;
      -*) ;;
      *) return 0 ;;
    esac
    [ $# -eq 0 ] || shift
  done
  return 1
}

# dev_run: with a file, in the caller's directory; without one, here, so that ./data is this repository's.
dev_run() {
  need_packages "${packages_build[@]}"
  need_disk 2000
  configure release -DMILENA_TESTS="$(with_tests)"
  has_target build milena || die "this revision has no server yet" "./dev test shows what there is"
  phase "build milena (minutes, the first time)" compile build milena ||
    die "the build failed" "read the first compiler error above"
  if names_a_file "$@"; then cd "$caller"; fi
  exec "$root/build/milena" server "$@"
}
