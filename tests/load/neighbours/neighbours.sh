#!/bin/bash
# A hundred thousand hostile connections and streams beside good clients, on the loopback.
#
#   bazel run //tests/load/neighbours -- [N]
#
# The same as neighbours_test, which bazel/test runs with three thousand. Prints the good clients' p99.
set -euo pipefail

export NEIGHBOURS=${1:-100000}
export SLUICE_BINARY=${SLUICE_BINARY:-service/sluice}
exec tests/load/neighbours/neighbours_test
