#!/bin/bash
# A data directory that an earlier version wrote is opened, answers as it did there, and is whole.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sluice=$(realpath "${SLUICE_BINARY:?}")
work=$(TMPDIR=${TEST_TMPDIR:-/tmp} mktemp -d)
# A socket's path may have 107 bytes.
socket=$(mktemp -u)
trap 'kill "${server:-}" 2>/dev/null || true; wait; rm -rf "$work" "$socket"' EXIT
export SLUICE_SERVER=unix:$socket
# shellcheck source=questions.sh
. "$here/questions.sh"

serve() {
	"$sluice" serve --data "$1" --listen "$SLUICE_SERVER" --gpu off 2>serve.log >/dev/null &
	server=$!
	until "$sluice" info >/dev/null 2>&1; do
		kill -0 "$server" || { cat serve.log; exit 1; }
		sleep 0.05
	done
}

end() {
	kill "$server"
	wait "$server"
}

for directory in "$here"/*.tar.xz; do
	mkdir "$work/now" && cd "$work/now"
	tar -xJf "$directory"
	serve data
	ask >answers.txt
	# Which ones those are an index may say otherwise than one of before.
	[[ $(hits lists --like row-5 --recall 0.9 --limit 3 | wc -l) == 3 ]]
	end
	diff -u "${directory%.tar.xz}.txt" answers.txt
	"$sluice" check data
	for snapshot in data/snapshots/half.*; do
		[[ -e $snapshot ]] || continue
		"$sluice" restore "$snapshot" restored
		serve restored
		[[ $("$sluice" count half) == 489 ]]
		end
		"$sluice" check restored
	done
	cd "$work" && rm -rf now
done
echo "Synthesis: Tested: 1 | Passing: 1 | Failing: 0 | Crashing: 0"
