# What each verb needs, by Debian 12 package name, and the installing of what is missing.
# MILENA_NO_INSTALL=1 skips all of it, for machines that provide the same things another way.

packages_build=(
  g++ cmake ninja-build ccache mold pkg-config git ca-certificates python3
  libboost1.81-dev libssl-dev libisal-dev libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev
  libfmt-dev libspdlog-dev libcli11-dev nlohmann-json3-dev librdkafka-dev
)
packages_clang=(clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev llvm-19)
packages_gtest=(libgtest-dev libgmock-dev)
packages_test=(
  "${packages_gtest[@]}" "${packages_clang[@]}"
  openjdk-17-jdk-headless maven kcat rsyslog rsyslog-kafka bsdutils python3-venv procps iproute2 strace e2fsprogs mount
)
packages_bench=("${packages_gtest[@]}" openjdk-17-jdk-headless maven)

# missing PACKAGE...: prints those that are not installed.
missing() {
  local package state
  for package in "$@"; do
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || printf '%s\n' "$package"
  done
}

# need_packages PACKAGE...: installs those that are missing; does and says nothing when there are none.
need_packages() {
  [ -z "${MILENA_NO_INSTALL:-}" ] || return 0
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    die "this is not Debian (no apt-get), and only Debian 12 and later are prepared automatically" \
      "install the equivalents of '$*' and set MILENA_NO_INSTALL=1"
  local -a wanted as_root=()
  mapfile -t wanted < <(missing "$@")
  [ ${#wanted[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "packages are missing: ${wanted[*]}" "as root: apt-get install ${wanted[*]}"
    as_root=(sudo)
  fi
  need_disk 3000
  say "installing ${#wanted[@]} packages: ${wanted[*]}"
  quietly "${as_root[@]}" apt-get update -qq ||
    die "apt-get update failed" "check the network and /etc/apt/sources.list*"
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "${wanted[@]}" ||
    die "apt-get could not install all of: ${wanted[*]}" "run the same apt-get install by hand to see why"
}

# need_venv: a Python environment with exactly what tests/clients/requirements.txt pins.
need_venv() {
  local list=$root/tests/clients/requirements.txt venv=$cache/venv stamp
  [ -f "$list" ] || return 0
  export MILENA_PYTHON=$venv/bin/python
  stamp=$(sha256sum "$list" | cut -d' ' -f1)
  [ "$(cat "$venv/.stamp" 2>/dev/null)" != "$stamp" ] || return 0
  say "installing the Python clients into .cache/venv"
  python3 -m venv "$venv" || die "python3 -m venv failed" "apt-get install python3-venv"
  quietly "$venv/bin/pip" install -q --disable-pip-version-check -r "$list" ||
    die "pip could not install tests/clients/requirements.txt" "check the network, then run this again"
  printf '%s\n' "$stamp" >"$venv/.stamp"
}

# need_kafka: the jars of the Apache Kafka release that the tests compare with (tests/peer/pom.xml).
need_kafka() {
  local pom=$root/tests/peer/pom.xml stamp
  [ -f "$pom" ] || return 0
  export MILENA_KAFKA_LIBS=${MILENA_KAFKA_LIBS:-$cache/kafka-4.3.1/libs}
  [ "$MILENA_KAFKA_LIBS" = "$cache/kafka-4.3.1/libs" ] || return 0
  stamp=$(sha256sum "$pom" | cut -d' ' -f1)
  [ "$(cat "$cache/kafka-4.3.1/.stamp" 2>/dev/null)" != "$stamp" ] || return 0
  say "downloading the Apache Kafka 4.3.1 jars into .cache/kafka-4.3.1"
  rm -rf "$MILENA_KAFKA_LIBS"
  quietly mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$MILENA_KAFKA_LIBS" ||
    die "maven could not fetch the jars" "check the network, then run this again"
  printf '%s\n' "$stamp" >"$cache/kafka-4.3.1/.stamp"
}
