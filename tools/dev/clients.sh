# The drivers of tests/clients/matrix: one program for each family of clients, built into .cache/clients.
# Go and Node come with the Python environment (tests/clients/requirements.txt): Debian 12's are too old for the clients.

# digest PATH...: one hash over the names and contents of all files.
digest() { find "$@" -type f -not -path '*/node_modules/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }

# need_clients: builds what has changed. REQUIRES: need_venv and need_kafka.
need_clients() {
  local from=$root/tests/clients/matrix
  [ -d "$from" ] || return 0
  export MILENA_CLIENTS=$cache/clients
  mkdir -p "$MILENA_CLIENTS"
  build_client java "$from/java" java_clients
  build_client go "$from/go" go_clients
  build_client node "$from/node" node_clients
}

# build_client NAME SOURCES COMMAND: runs COMMAND SOURCES, with a line of its own, unless it did so for the same files.
build_client() {
  local stamp
  stamp=$(digest "$2")
  [ "$(cat "$MILENA_CLIENTS/.$1" 2>/dev/null)" != "$stamp" ] || return 0
  phase "client drivers: $1" quietly "$3" "$2" ||
    die "the $1 clients could not be built" "check the network, then run this again"
  printf '%s\n' "$stamp" >"$MILENA_CLIENTS/.$1"
}

go_clients() {
  (cd "$1" && env -u GOROOT PATH="$cache/venv/bin:$PATH" GOTOOLCHAIN=local CGO_ENABLED=0 GOPATH="$cache/go" \
    GOCACHE="$cache/go-build" GOFLAGS='-buildvcs=false -modcacherw' go build -ldflags='-s -w' -o "$MILENA_CLIENTS/" ./...)
}

# java_clients SOURCES: the same driver twice, with the jars of 4.3.1 (need_kafka) and, apart from them, with those of 3.x.
java_clients() {
  local java3=$MILENA_CLIENTS/java3 java4=$MILENA_CLIENTS/java4
  rm -rf "$java3" "$java4"
  mvn -q -B -f "$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$java3/libs" &&
    javac -nowarn -d "$java3/classes" -cp "$java3/libs/*" "$1"/*.java &&
    javac -nowarn -d "$java4/classes" -cp "$MILENA_KAFKA_LIBS/*" "$1"/*.java
}

node_clients() {
  rm -rf "$MILENA_CLIENTS/node"
  mkdir -p "$MILENA_CLIENTS/node"
  cp "$1"/*.js "$1"/*.json "$MILENA_CLIENTS/node/"
  (cd "$MILENA_CLIENTS/node" && PATH="$cache/venv/bin:$PATH" npm ci --no-audit --no-fund --ignore-scripts)
}
