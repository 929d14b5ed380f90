# ./dev test: builds everything, runs every test there is, ends with one line that counts them.

# Rooms whose unit tests `./dev test` also runs under clang's address and undefined-behaviour sanitizers; --asan: all.
sanitized='base|io|wire|config|image|raft|meta|group|txn|share|auth|quota|schema|log'

dev_test() {
  local mode=full begin=$SECONDS results=$cache/results
  [ $# -le 1 ] || die "one option at most" "./dev test [--fast | --asan | --tsan]"
  case ${1:-} in
    '') ;;
    --fast | --asan | --tsan) mode=${1#--} ;;
    *) die "unknown option '$1'" "./dev test [--fast | --asan | --tsan]" ;;
  esac
  need_packages "${packages_build[@]}" "${packages_test[@]}"
  need_disk 4000
  rm -rf "$results"
  mkdir -p "$results"
  "test_$mode"
  say "all phases: $((SECONDS - begin)) s"
  python3 tools/dev/count_results.py "$results"/*.xml
}

# The modes. Each leaves reports in $results; what cannot be built is one failure, and its tests do not run.

test_full() {
  need_venv
  need_kafka
  need_clients
  configure release -DMILENA_TESTS=ON
  must_build "build with g++" compile build
  export MILENA_MATRIX=$results/clients
  phase "tests" run_ctest build "$results/release.xml" || true
  say "clients and scenarios (- is what the client does not have)"
  python3 -B tests/clients/matrix/matrix.py --table "$MILENA_MATRIX" >&2
  configure asan -DMILENA_TESTS=ON
  if phase "build with clang, sanitizers" build_sanitized; then
    phase "tests under sanitizers" run_ctest build-asan "$results/asan.xml" -R "^(unit\.($sanitized)([._].*)?|fuzz\..*)\$" || true
  else
    : >"$results/asan.xml" # an unreadable report counts as a failure
  fi
}

# test_fast: no Kafka node, no real client, a sample of values and seeds. Owners mark what else belongs here `fast`; the
# golden tests among those need Kafka's jars.
test_fast() {
  need_kafka
  configure release -DMILENA_TESTS=ON
  must_build "build with g++" compile build
  export MILENA_FAST=1 MILENA_SIM_SEEDS=${MILENA_SIM_SEEDS:-50}
  phase "tests, the quick ones" run_ctest build "$results/release.xml" -L '^(unit|link|check|fuzz|fast)$' || true
}

# test_asan: all code under the address and undefined-behaviour sanitizers, whole nodes included, in the simulator.
test_asan() {
  configure asan -DMILENA_TESTS=ON
  must_build "build everything with clang, ASan and UBSan" compile build-asan
  export MILENA_SIM_SEEDS=${MILENA_SIM_SEEDS:-50}
  phase "tests under ASan and UBSan" run_ctest build-asan "$results/asan.xml" -L '^(unit|fuzz|sim)$' -E '^sim\.(mutants|seeds[1-7])$' || true
}

# test_tsan: the unit tests, and a node with two loops under kcat and under side-by-side writers and readers.
test_tsan() {
  configure tsan -DMILENA_TESTS=ON
  must_build "build with clang and TSan" build_for_tsan
  export MILENA_LOAD_SECONDS=60
  export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1 second_deadlock_stack=1}
  phase "tests under TSan" run_ctest build-tsan "$results/tsan.xml" -R '^(unit\..*|clients\.(kcat|load))$' || true
}

# must_build NAME COMMAND...: the phase, or the end of the whole run as one failure.
must_build() {
  phase "$@" && return
  printf '%s\n' "0 passed, 1 failed"
  die "the build failed, no test ran" "read the first compiler error above"
}

# run_ctest DIR REPORT [CTEST_ARG...]: owners mark a test RUN_SERIAL where it needs a port or the whole CPU.
run_ctest() {
  local dir=$1 report=$2
  shift 2
  export MILENA_BIN=$root/$dir/milena
  export UBSAN_OPTIONS=print_stacktrace=1 ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19
  export TSAN_SYMBOLIZER_PATH=$ASAN_SYMBOLIZER_PATH
  ctest --test-dir "$dir" -j "$jobs" --no-label-summary --output-on-failure --output-junit "$report" "$@" |
    grep -vE '^( *[0-9]+/[0-9]+ Test .* Passed | *Start |Internal ctest|$)'
  return "${PIPESTATUS[0]}"
}

# unit_targets DIR ROOMS: the unit test programs of the rooms (a pattern).
unit_targets() {
  ninja -C "$1" -t targets all | sed -nE "s/^(($2)(_[a-z_]+)?_test): (phony|CXX_EXECUTABLE.*)\$/\1/p" | sort -u
}

# build_sanitized: only the test programs that run under the sanitizers, and the replay of fuzz inputs.
build_sanitized() {
  local -a targets
  mapfile -t targets < <(unit_targets build-asan "$sanitized")
  [ ${#targets[@]} -gt 0 ] || return 1
  compile build-asan "${targets[@]}" fuzz_programs
}

build_for_tsan() {
  local -a targets
  mapfile -t targets < <(unit_targets build-tsan '[a-z]+')
  [ ${#targets[@]} -gt 0 ] || return 1
  compile build-tsan "${targets[@]}" milena bench_load
}
