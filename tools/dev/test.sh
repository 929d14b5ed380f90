# ./dev test: builds everything, runs every test there is, ends with one line that counts them.

# Rooms whose unit tests also run under clang's address and undefined-behaviour sanitizers.
sanitized='base|io|wire|config|image|raft|meta|group|txn|share|auth|quota|schema|log'

dev_test() {
  local fast='' begin=$SECONDS results=$cache/results built=0
  while [ $# -gt 0 ]; do
    case $1 in
      --fast) fast=1 ;;
      *) die "unknown option '$1'" "./dev test [--fast]" ;;
    esac
    shift
  done
  need_packages "${packages_build[@]}" "${packages_test[@]}"
  need_disk 4000
  need_venv
  need_kafka
  export MILENA_BIN=$root/build/milena
  rm -rf "$results"
  mkdir -p "$results"

  configure release -DMILENA_TESTS=ON
  phase "build with g++" compile build || built=1
  if [ $built -ne 0 ]; then
    printf '%s\n' "0 passed, 1 failed"
    die "the build failed, no test ran" "read the first compiler error above"
  fi
  if [ -n "$fast" ]; then
    export MILENA_FAST=1 MILENA_SIM_SEEDS=${MILENA_SIM_SEEDS:-50}
    phase "tests, the quick ones" run_ctest build "$results/release.xml" -L '^(unit|link|check|golden|fuzz|sim)$' || true
  else
    phase "tests" run_ctest build "$results/release.xml" || true
    configure asan -DMILENA_TESTS=ON
    if phase "build with clang, sanitizers" build_sanitized; then
      phase "tests under sanitizers" run_ctest build-asan "$results/asan.xml" -R "^(unit\.($sanitized)([._].*)?|fuzz\..*)\$" || true
    else
      : >"$results/asan.xml" # an unreadable report counts as a failure
    fi
  fi
  say "all phases: $((SECONDS - begin)) s"
  python3 tools/dev/count_results.py "$results"/*.xml
}

# run_ctest DIR REPORT [CTEST_ARG...]: owners mark a test RUN_SERIAL where it needs a port or the whole CPU.
run_ctest() {
  local dir=$1 report=$2
  shift 2
  export UBSAN_OPTIONS=print_stacktrace=1 ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19
  ctest --test-dir "$dir" -j "$jobs" --no-label-summary --output-on-failure --output-junit "$report" "$@" |
    grep -vE '^( *[0-9]+/[0-9]+ Test .* Passed | *Start |Internal ctest|$)'
  return "${PIPESTATUS[0]}"
}

# build_sanitized: only the test programs that run under the sanitizers, and the replay of fuzz inputs.
build_sanitized() {
  local -a targets
  mapfile -t targets < <(ninja -C build-asan -t targets all | sed -nE "s/^(($sanitized)(_[a-z_]+)?_test): (phony|CXX_EXECUTABLE.*)\$/\1/p")
  [ ${#targets[@]} -gt 0 ] || return 1
  compile build-asan "${targets[@]}" fuzz_programs
}
