#!/bin/bash
# Has every call fail in turn, and the power go at ten thousand moments.
#
#   bazel run //tests/faults                      all of it: some hours
#   bazel run //tests/faults -- power [--prefixes N] [--seed N]
#   bazel run //tests/faults -- index|servers|starts [--stride N] [--filter SUITE/TEST]
#
# power: losses of power. index: faults under the index, in the test's process. servers, starts: in a
# server that serves, and that starts. With a stride of N every Nth call fails.
set -euo pipefail

parts=()
export POWER_PREFIXES=10000 POWER_SEED=1 POWER_REPEATS=10 FAULT_STRIDE=1
filter='*'
while (($#)); do
	case $1 in
	power | index | servers | starts)
		parts+=("$1")
		shift
		continue
		;;
	--prefixes) POWER_PREFIXES=${2:?a number} ;;
	--seed) POWER_SEED=${2:?a number} ;;
	--stride) FAULT_STRIDE=${2:?a number} ;;
	--filter) filter=${2:?SUITE/TEST} ;;
	*)
		echo "faults: unknown argument $1; see the head of tests/faults/faults.sh" >&2
		exit 2
		;;
	esac
	shift 2
done
((${#parts[@]})) || parts=(power starts servers index)

export SLUICE_BINARY=${SLUICE_BINARY:-service/sluice}
export SLUICE_SHIM_LIBRARY=${SLUICE_SHIM_LIBRARY:-$PWD/tests/faults/libshim.so}
# Nothing of it need last, and memory syncs faster than a disk.
[[ -n ${TEST_TMPDIR-} || ! -w /dev/shm ]] || export TEST_TMPDIR=/dev/shm
failed=0
for part in "${parts[@]}"; do
	case $part in
	power) tests='power_test power_shrink_test' ;;
	index) tests='fault_test shrink_fault_test' ;;
	servers) tests=server_fault_test ;;
	starts) tests=start_fault_test ;;
	esac
	for test in $tests; do
		"tests/faults/$test" --filter "$filter" || failed=1
	done
done
exit $failed
