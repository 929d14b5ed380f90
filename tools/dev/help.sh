# ./dev help.

dev_help() {
  cat <<'TEXT'
./dev VERB [ARGUMENT...]        everything is installed by package name when it is missing (Debian 12)

  run [ARGS]                    build the server and start it: milena server ARGS (a file: from where you are)
  build [PRESET]                build with a preset: release (default), debug, asan, tsan, tidy
  test                          build and run every test; the last line counts them
  test --fast                   under 2 minutes once built: unit, link, check and fuzz tests, formats, 50 seeds
  test --asan                   everything under ASan and UBSan (build-asan): unit and fuzz tests, 50 seeds
  test --tsan                   under TSan (build-tsan): unit tests, a node with two loops under load
  sim [--seed N | --seeds N]    replay one seed of the simulator, or try N seeds; `sim --raft` the quorum's
  fuzz [NAME...] [--seconds N]  fuzz the decoders and file loaders: 5 million inputs, or N seconds each
  bench [--quick]               measure
  fmt [--all]                   clang-format over changed (or all) files
  lint [--all]                  layer law, then clang-tidy over changed (or all) .cc files
  help                          this page

While you work:  ./dev build && ctest --test-dir build -R unit.base --output-on-failure
One test case:   build/base_test --gtest_filter='Uuid.*'
Layer law only:  python3 tools/check_layers.py

Build folders are build (release) and build-PRESET; downloads live in .cache. Both may be deleted at any time.
Variables: NO_COLOR no colours, MILENA_NO_INSTALL=1 never call apt-get, MILENA_KAFKA_LIBS=DIR use these jars.
TEXT
}
