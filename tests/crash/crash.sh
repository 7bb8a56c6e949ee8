#!/bin/bash
# Kills a server again and again, whatever it is doing, and looks at what it has when it is back.
#
#   bazel run //tests/crash -- [--rounds N] [--seed N]
#
# A thousand rounds take half an hour or so. The last lines say what was under way at the kills.
set -euo pipefail

export CRASH_ROUNDS=1000 CRASH_SEED=1
while (($#)); do
	case $1 in
	--rounds) CRASH_ROUNDS=${2:?a number} ;;
	--seed) CRASH_SEED=${2:?a number} ;;
	*)
		echo "crash: unknown argument $1; see the head of tests/crash/crash.sh" >&2
		exit 2
		;;
	esac
	shift 2
done
export SLUICE_BINARY=${SLUICE_BINARY:-service/sluice}
exec tests/crash/crash_test
