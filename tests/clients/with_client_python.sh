#!/bin/sh
# with_client_python.sh ARGUMENT...: runs the Python that has the packages of requirements.txt. ./dev test makes it and
# names it in MILENA_PYTHON; a ctest started by hand finds the same one where ./dev test left it.
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${MILENA_PYTHON:-$root/.cache/venv/bin/python}
[ -x "$python" ] || {
  echo "no Python with tests/clients/requirements.txt at $python; ./dev test makes it" >&2
  exit 1
}
exec "$python" "$@"
