# ./dev build and ./dev run.

# preset_dir PRESET: the build folder that CMakePresets.json gives it.
preset_dir() { [ "$1" = release ] && echo build || echo "build-$1"; }

# has_target DIR TARGET
has_target() { ninja -C "$1" -t query "$2" >/dev/null 2>&1; }

# compile DIR [TARGET...]: with progress on a terminal, and only with what went wrong elsewhere.
compile() {
  local dir=$1 quiet=--quiet
  shift
  [ ! -t 1 ] || quiet=''
  ninja -C "$dir" -j "$jobs" $quiet "$@"
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
    asan | tsan | fuzz | tidy) need_packages "${packages_build[@]}" "${packages_gtest[@]}" "${packages_clang[@]}" ;;
    *) die "unknown preset '$preset'" "./dev build [release|debug|asan|tsan|fuzz|tidy]" ;;
  esac
  need_disk 2000
  configure "$preset" -DMILENA_TESTS="$(with_tests)"
  phase "build $preset" compile "$(preset_dir "$preset")" ||
    die "the $preset build failed" "read the first compiler error above"
}

dev_run() {
  need_packages "${packages_build[@]}"
  need_disk 2000
  configure release -DMILENA_TESTS="$(with_tests)"
  has_target build milena || die "this revision has no server yet" "./dev test shows what there is"
  phase "build milena" compile build milena ||
    die "the build failed" "read the first compiler error above"
  exec build/milena server "$@"
}
