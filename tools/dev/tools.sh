# ./dev sim, fuzz, bench, fmt and lint: the developer's tools.

dev_sim() {
  need_packages "${packages_build[@]}" "${packages_gtest[@]}"
  configure release -DMILENA_TESTS=ON
  has_target build milena_sim || die "this revision has no simulator program yet" "./dev test shows what there is"
  phase "build the simulator" compile build milena_sim ||
    die "the build failed" "read the first compiler error above"
  exec build/milena_sim "$@"
}

# Each fuzz target is a program NAME_fuzz with its committed corpus in tests/fuzz/corpus/NAME;
# what a run finds goes to .cache/fuzz/NAME, crashes too.
dev_fuzz() {
  need_packages "${packages_build[@]}" "${packages_gtest[@]}" "${packages_clang[@]}"
  configure fuzz
  local seconds=${MILENA_FUZZ_SECONDS:-30} name failed=0
  local -a names=("$@")
  if [ ${#names[@]} -eq 0 ]; then
    mapfile -t names < <(ninja -C build-fuzz -t targets all | sed -nE 's/^([a-z0-9_]+)_fuzz: (phony|CXX_EXECUTABLE.*)$/\1/p')
  fi
  [ ${#names[@]} -gt 0 ] || die "this revision has no fuzz targets yet" "./dev test shows what there is"
  for name in "${names[@]}"; do
    has_target build-fuzz "${name}_fuzz" || die "no fuzz target '$name'" "./dev fuzz runs all there are"
  done
  phase "build the fuzz targets" compile build-fuzz "${names[@]/%/_fuzz}" ||
    die "the build failed" "read the first compiler error above"
  for name in "${names[@]}"; do
    mkdir -p "$cache/fuzz/$name"
    local -a corpus=("$cache/fuzz/$name")
    [ ! -d "tests/fuzz/corpus/$name" ] || corpus+=("tests/fuzz/corpus/$name")
    phase "fuzz $name for $seconds s" "build-fuzz/${name}_fuzz" -max_total_time="$seconds" -print_final_stats=1 \
      -verbosity=0 -artifact_prefix="$cache/fuzz/$name-" "${corpus[@]}" || failed=1
  done
  [ $failed -eq 0 ] || die "a fuzz target found something" "rerun it on the file named above in .cache/fuzz"
}

dev_bench() {
  need_packages "${packages_build[@]}" "${packages_bench[@]}"
  need_kafka
  configure release -DMILENA_TESTS=ON
  phase "build" compile build milena bench_load || die "the build failed" "read the first compiler error above"
  exec python3 bench/bench.py --milena build/milena --load build/bench_load --kafka-libs "$MILENA_KAFKA_LIBS" "$@"
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

dev_lint() {
  need_packages "${packages_build[@]}" "${packages_gtest[@]}" "${packages_clang[@]}"
  local target
  local -a files
  python3 tools/check_layers.py
  mapfile -t files < <(sources "${1:-}" | grep -E '\.cc$' || true)
  [ ${#files[@]} -gt 0 ] || { say "no changed .cc file (--all takes every file)"; return 0; }
  configure tidy -DMILENA_TESTS=ON
  for target in generated wire_generated; do # headers that clang-tidy must be able to open
    ! has_target build-tidy $target || compile build-tidy $target
  done
  say "clang-tidy over ${#files[@]} files, 5 to 15 s each"
  printf '%s\0' "${files[@]}" | xargs -0 -n1 -P "$jobs" sh -c \
    'clang-tidy-19 -p build-tidy --quiet "$1" 2>&1 | { ! grep -vE "^[0-9]+ warnings? generated|^$"; }' lint ||
    die "clang-tidy has findings" "fix them, or name the one check in a NOLINT(check) with a reason"
}
