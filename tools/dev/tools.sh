# ./dev sim, fuzz, bench, fmt and lint: the developer's tools.

dev_sim() {
  local -a programs=(milena_sim)
  if [ "${1:-}" = --raft ]; then
    programs=(milena_raft_sim)
    shift
  elif [[ " $* " = *" --mutants "* ]]; then
    programs+=(milena_raft_sim)
  fi
  local -a targets=("${programs[@]}")
  [[ " $* " != *" --mutant"* ]] || targets+=("${programs[@]/%/_mutants}" milena_traps_mutants)
  need_packages "${packages_build[@]}" "${packages_gtest[@]}"
  configure release -DMILENA_TESTS=ON
  has_target build milena_sim || die "this revision has no simulator program yet" "./dev test shows what there is"
  phase "build the simulator" compile build "${targets[@]}" ||
    die "the build failed" "read the first compiler error above"
  local program failed=0
  for program in "${programs[@]}"; do "build/$program" "$@" || failed=1; done
  return "$failed"
}

# ./dev fuzz [NAME...] [--seconds N]: each target is a program fuzz_NAME (tests/fuzz/README.md). It starts from the
# committed inputs and from generated ones; what a run finds goes to .cache/fuzz/NAME, what fails to .cache/fuzz/NAME-*,
# what the target says to .cache/fuzz/NAME.log. Without --seconds and names, fewer than 5 million inputs in all are a
# failure. An input of `files` may be a directory on a disk, and takes longest.
fuzz_least=5000000
fuzz_inputs() {
  case $1 in
    files) echo 300000 ;;
    *) echo 2500000 ;;
  esac
}

# fuzz_one NAME LIMIT: runs a target; shows what it said only if it fails.
fuzz_one() {
  local name=$1 limit=$2 status=0
  # The first directory takes what is found; inputs may be as large as the generated ones.
  "build-asan/fuzz_$name" "$limit" -max_len=8192 -timeout=20 -rss_limit_mb=1024 -malloc_limit_mb=64 -print_final_stats=1 \
    -verbosity=0 -artifact_prefix="$cache/fuzz/$name-" "$cache/fuzz/$name" "tests/fuzz/corpus/$name" \
    "$cache/fuzz-seeds/$name" >"$cache/fuzz/$name.log" 2>&1 || status=$?
  [ $status -eq 0 ] || tail -n 80 "$cache/fuzz/$name.log" | cut -c -300 >&2
  return $status
}

dev_fuzz() {
  local seconds= limit until name failed=0 least=0
  local -a names=() logs=()
  while [ $# -gt 0 ]; do
    case $1 in
      --seconds)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "--seconds wants a number" "./dev fuzz [NAME...] --seconds 300"
        seconds=$2
        shift
        ;;
      -*) die "unknown option '$1'" "./dev fuzz [NAME...] [--seconds N]" ;;
      *) names+=("${1#fuzz_}") ;;
    esac
    shift
  done
  need_packages "${packages_build[@]}" "${packages_gtest[@]}" "${packages_clang[@]}"
  configure asan -DMILENA_TESTS=ON
  if [ ${#names[@]} -eq 0 ]; then
    [ -n "$seconds" ] || least=$fuzz_least
    mapfile -t names < <(ninja -C build-asan -t targets all |
      sed -nE 's/^fuzz_([a-z0-9]+): (phony|CXX_EXECUTABLE.*)$/\1/p' | grep -vE '^(seeds|programs)$' | sort -u)
  fi
  [ ${#names[@]} -gt 0 ] || die "this revision has no fuzz targets yet" "./dev test shows what there is"
  for name in "${names[@]}"; do
    has_target build-asan "fuzz_$name" || die "no fuzz target '$name'" "./dev fuzz runs all there are"
  done
  phase "build the fuzz targets with clang (minutes, the first time)" compile build-asan fuzz_seeds "${names[@]/#/fuzz_}" ||
    die "the build failed" "read the first compiler error above"
  build-asan/fuzz_seeds "$cache/fuzz-seeds" >/dev/null || die "no generated inputs" "run build-asan/fuzz_seeds by hand"
  for name in "${names[@]}"; do
    mkdir -p "$cache/fuzz/$name"
    limit=-runs=$(fuzz_inputs "$name") until="$(fuzz_inputs "$name") inputs"
    [ -z "$seconds" ] || limit=-max_total_time=$seconds until="$seconds s"
    rm -f "$cache/fuzz/$name.log"
    phase "fuzz $name, $until" fuzz_one "$name" "$limit" || failed=1
    logs+=("$cache/fuzz/$name.log")
  done
  python3 tools/dev/count_fuzz.py --least "$least" "${logs[@]}" || failed=1
  [ $failed -eq 0 ] || die "a fuzz target found something, or ran too few inputs" "what it said is in .cache/fuzz/NAME.log; rerun it on the file that it names"
}

dev_bench() {
  need_packages "${packages_build[@]}" "${packages_bench[@]}"
  need_kafka
  configure release -DMILENA_TESTS=ON
  phase "build" compile build milena bench_load bench_floor || die "the build failed" "read the first compiler error above"
  exec python3 bench/bench.py --milena build/milena --load build/bench_load --floor build/bench_floor --kafka-libs "$MILENA_KAFKA_LIBS" "$@"
}

# sources [--all]: C++ files to format or lint; those that differ from the main branch unless --all.
sources() {
  local base
  if [ "${1:-}" = --all ]; then
    git ls-files -- '*.h' '*.cc'
    return
  fi
  base=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || echo HEAD)
  { git diff --name-only --diff-filter=d "$base" -- '*.h' '*.cc'
    git ls-files --others --exclude-standard -- '*.h' '*.cc'; } | sort -u
}

dev_fmt() {
  need_packages git "${packages_clang[@]}"
  local -a files
  mapfile -t files < <(sources "${1:-}")
  [ ${#files[@]} -gt 0 ] || { say "nothing to format (--all takes every file)"; return 0; }
  say "formatting ${#files[@]} files"
  clang-format-19 -i "${files[@]}"
}

# What clang-tidy does not ask of code for tests (CONTRIBUTING.md says why).
tests_may='-bugprone-unchecked-optional-access,-bugprone-implicit-widening-*,-bugprone-narrowing-conversions,-performance-*'

# tidy_one FILE: prints findings only; fails if there are any.
tidy_one() {
  local checks=''
  case $1 in *_test.cc | tests/* | bench/* | */testing/*) checks=$tests_may ;; esac
  clang-tidy-19 -p build-tidy --quiet --checks="$checks" "$1" 2>&1 | { ! grep -vE '^[0-9]+ warnings? generated|^$'; }
}

dev_lint() {
  need_packages "${packages_build[@]}" "${packages_gtest[@]}" "${packages_clang[@]}"
  local -a files
  python3 tools/check_layers.py
  mapfile -t files < <(sources "${1:-}" | grep -E '\.cc$' || true)
  [ ${#files[@]} -gt 0 ] || { say "no changed .cc file (--all takes every file)"; return 0; }
  configure tidy -DMILENA_TESTS=ON
  compile build-tidy wire_generated wire_testing_generated >/dev/null || die "the messages could not be generated"
  say "clang-tidy over ${#files[@]} files, 5 to 15 s each"
  printf '%s\0' "${files[@]}" | xargs -0 -n1 -P "$jobs" bash -c '. tools/dev/tools.sh; tidy_one "$1"' lint ||
    die "clang-tidy has findings" "fix them, or name the one check in a NOLINT(check) with a reason"
}
