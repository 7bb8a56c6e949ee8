#!/bin/bash
# What a server takes: memory, processor time and disk, empty, while it imports, and while it is asked.
#
#   bazel run //tests/deploy:measure                 the corpus in SLUICE_CORPUS
#   bazel run //tests/deploy:measure -- --rows N     its first N chunks, more by taking them again
#
# Prints a table. The figures of service/deploy and of README.md ("Sizing") were taken so.
# "own" is memory that is the process's alone, "most" the most that it was since the line before; "mapped"
# are pages of files, which the kernel takes back when others need them.
set -euo pipefail

sluice=${SLUICE_BINARY:?bazel run sets it}
corpus=${SLUICE_CORPUS:?names the folder with chunks.jsonl, vectors.npy and queries.npy}
rows=0
if [[ ${1-} == --rows && ${2-} =~ ^[1-9][0-9]*$ ]]; then
	rows=$2
elif (($#)); then
	echo "measure: unknown argument $1; see the head of this file" >&2
	exit 2
fi

work=$(mktemp -d)
server=
watcher=
stop() {
	[[ -z $watcher ]] || kill "$watcher" 2>/dev/null || true
	watcher=
	[[ -z $server ]] || kill "$server" 2>/dev/null || true
	[[ -z $server ]] || wait "$server" || true
	server=
}
trap 'stop; rm -rf "$work"' EXIT

start() {
	# There before it is looked at: the server's own shell opens it in its own time.
	: >"$work/out"
	"$sluice" serve --data "$work/data" --listen 127.0.0.1:0 --gpu off >"$work/out" 2>"$work/log" &
	server=$!
	until grep -q '^listening on ' "$work/out"; do
		kill -0 "$server"
		sleep 0.1
	done
	SLUICE_SERVER=$(sed -n 's/^listening on //p' "$work/out")
	export SLUICE_SERVER
	: >"$work/own"
	watch "$server" &
	watcher=$!
}

# Notes every 0.1 s how much is the process's own, in KiB.
watch() {
	while awk '$1 == "RssAnon:" { print $2 }' "/proc/$1/status" >>"$work/own" 2>/dev/null; do
		sleep 0.1
	done
}

# field NAME: of /proc/PID/status, in MiB.
field() {
	awk -v name="$1:" '$1 == name { print int($2 / 1024 + 0.5) }' "/proc/$server/status"
}

# line WHAT: a line of the table.
line() {
	local cpu most
	cpu=$(awk -v hertz="$(getconf CLK_TCK)" '{ printf "%.1f", ($14 + $15) / hertz }' "/proc/$server/stat")
	most=$(sort -n "$work/own" | tail -1)
	: >"$work/own"
	printf '| %-34s | %7s | %7s | %7s | %7s | %8s |\n' "$1" "$(field RssAnon)" "$((${most:-0} >> 10))" \
		"$(field RssFile)" "$cpu" "$(du -sm "$work/data" 2>/dev/null | cut -f1)"
}

# The first rows of the corpus, taken again and again under other ids where it has fewer.
take() {
	python3 -I - "$corpus" "$work" "$rows" <<-'PYTHON'
		import json, pathlib, struct, sys
		corpus, work, rows = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
		data = (corpus / "vectors.npy").read_bytes()
		start = 10 + struct.unpack("<H", data[8:10])[0]
		lines = (corpus / "chunks.jsonl").read_bytes().splitlines()
		size = (len(data) - start) // len(lines)
		head = data[:start].replace(b"(%d," % len(lines), b"(%d," % rows)
		head = head.rstrip(b"\n ") + b" " * (start - len(head.rstrip(b"\n ")) - 1) + b"\n"
		with open(work / "chunks.jsonl", "wb") as chunks, open(work / "vectors.npy", "wb") as vectors:
		    vectors.write(head)
		    for i in range(rows):
		        at = i % len(lines)
		        chunk = json.loads(lines[at])
		        chunk["id"] = f"{i // len(lines)}-{chunk['id']}"
		        chunks.write(json.dumps(chunk).encode() + b"\n")
		        vectors.write(data[start + at * size : start + (at + 1) * size])
	PYTHON
	corpus_of_rows=$work
}

corpus_of_rows=$corpus
((rows == 0)) || take
printf '| %-34s |     own |    most |  mapped |   CPU s | disk MiB |\n' "MiB"
printf '|---|---|---|---|---|---|\n'
start
line "empty"
"$sluice" import corpus "$corpus_of_rows/chunks.jsonl" --vectors "$corpus_of_rows/vectors.npy" --create
line "imported"
"$sluice" optimize corpus
line "optimized"
for ((i = 0; i < 50; i++)); do
	"$sluice" search corpus --vector-file "$corpus/queries.npy" --row "$i" --limit 100
done >"$work/answers"
line "after 50 searches of 100 hits"
for ((i = 0; i < 20; i++)); do
	"$sluice" search corpus --vector-file "$corpus/queries.npy" --row "$i" --limit 10 --exact
done >"$work/answers"
line "after 20 exact searches"
stop
start
"$sluice" search corpus --vector-file "$corpus/queries.npy" --row 0 --limit 10 >"$work/answers"
line "started again, after a search"
stop
