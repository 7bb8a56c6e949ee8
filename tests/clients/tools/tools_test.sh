#!/bin/bash
# Tools that people have for any gRPC server, with nothing but this one's address: grpcurl, ghz, grpc-health-probe
# and buf curl, which read its reflection; and README.md's commands, as they are printed there. (What reads
# reflection v1alpha, as Postman does, is in tests/clients/python/builtin_test.py.)
#
# Each is built once, in ~/.cache/sluice/tools/NAME@VERSION; buf is the one that bazel/lint installs.
set -euo pipefail
client="stock tools"
# shellcheck source=tests/clients/client.sh
source "$(dirname "${BASH_SOURCE[0]}")/../client.sh"

versions=(
	github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4
	github.com/bojand/ghz/cmd/ghz@v0.120.0
	github.com/grpc-ecosystem/grpc-health-probe@v0.4.62
)

PATH=$PATH:/usr/local/go/bin
export GOPATH=$cache/go GOCACHE=$cache/go/build GOTOOLCHAIN=local GOWORK=off GOFLAGS=

# lacks TOOL WHY: its steps are left out, and bazel/test shows why at its end.
lacks() {
	echo "SKIPPED: $client: $1: $2"
}

# build_tool PACKAGE@VERSION PLACE: fails where it cannot be had, having said why.
build_tool() {
	local name=${2##*/}
	command -v go >/dev/null || {
		lacks "$name" "go is not installed"
		return 1
	}
	if ! GOBIN=$2.$$ go install "$1" >"$work/$name.log" 2>&1; then
		cat "$work/$name.log"
		if grep -qE 'requires go >= |requires newer Go' "$work/$name.log"; then
			lacks "$name" "$(go env GOVERSION) is too old for it"
		elif grep -qE "$unreachable" "$work/$name.log"; then
			lacks "$name" "the module proxy cannot be reached"
		else
			exit 1
		fi
		return 1
	fi
	mv "$2.$$" "$2"
}

# find_tools: those that are there or can be had are on PATH then.
find_tools() {
	local version place
	mkdir -p "$cache/tools"
	exec 9>"$cache/tools.lock"
	flock 9
	for version in "${versions[@]}"; do
		place=$cache/tools/${version##*/}
		# Left by a run that was killed.
		rm -rf "$place".*
		[[ -d $place ]] || build_tool "$version" "$place" || continue
		PATH=$place:$PATH
	done
	exec 9>&-
	place=$(compgen -G "$cache/buf-*/node_modules/.bin" | sort -V | tail -1) || true
	if [[ -n $place ]]; then
		PATH=$place:$PATH
	else
		lacks buf "bazel/lint has not installed it"
	fi
}

# step TOOL NAME: runs what is defined as NAME, with _ for each space, where the tool is there.
step() {
	local name="$1: $2" status=0
	command -v "$1" >/dev/null || return 0
	# In a process of its own, since bash has no errexit within a condition.
	(set -e && "${2// /_}") >"$work/step.log" 2>&1 &
	wait $! || status=$?
	if ((status == 0)); then
		echo "ok $name"
	else
		cat "$work/step.log"
		echo "not ok $name: exit status $status"
	fi
}

query='"collection": "story", "vector": {"values": [1, 0, 0]}, "accuracy": {"exact": {}}'

# call METHOD JSON...: messages in, and what comes back.
call() {
	local method=$1
	shift
	echo "$*" | grpcurl -plaintext -d @ "$SLUICE_SERVER" "sluice.v1.$method"
}

# ids: those of hits, on one line.
ids() {
	sed -n 's/.*"id": "\(note-[0-9]*\)".*/\1/p' | xargs
}

lists() {
	local found
	found=$(grpcurl -plaintext "$SLUICE_SERVER" list)
	for service in grpc.health.v1.Health grpc.reflection.v1.ServerReflection \
		grpc.reflection.v1alpha.ServerReflection sluice.v1.AdminService \
		sluice.v1.CollectionService sluice.v1.IngestService sluice.v1.RetrievalService; do
		grep -qx "$service" <<<"$found"
	done
	found=$(grpcurl -plaintext "$SLUICE_SERVER" list sluice.v1.IngestService | xargs)
	[[ $found == "sluice.v1.IngestService.DeleteChunks sluice.v1.IngestService.UpsertChunks" ]]
}

# Every message of the contract, with its comments and its rules.
describes() {
	local found
	found=$(grpcurl -plaintext "$SLUICE_SERVER" describe sluice.v1.SearchRequest)
	grep -q '// Which chunks may be hits' <<<"$found"
	grep -q 'optional uint64 limit = 5 \[(.buf.validate.field) = { uint64: { gte: 1 } }\]' <<<"$found"
	grpcurl -plaintext "$SLUICE_SERVER" describe | grep -q 'rpc Iterate ( stream .sluice.v1.IterateRequest )'
	grpcurl -plaintext -msg-template "$SLUICE_SERVER" describe sluice.v1.Filter | grep -q '"noneOf"'
}

creates() {
	call CollectionService/CreateCollection \
		'{"collection": {"name": "story", "dimension": 3, "metric": "METRIC_L2"}}' | grep -q '"dimension": 3'
}

# Two messages in, two acknowledgements back.
upserts() {
	local found
	found=$(call IngestService/UpsertChunks \
		'{"collection": "story", "sequence": 1, "chunks": [{"id": "note-0", "vector": {"values": [1, 0, 0]}},
			{"id": "note-1", "vector": {"values": [1, 1, 0]}}]}' \
		'{"collection": "story", "sequence": 2, "chunks": [{"id": "note-2", "vector": {"values": [1, 2, 0]}}]}')
	[[ $(grep -c '"sequence"' <<<"$found") == 2 ]]
	grep -q '"inserted": 2' <<<"$found"
}

searches() {
	local found
	found=$(call RetrievalService/Search "{$query}")
	[[ $(ids <<<"$found") == "note-0 note-1 note-2" ]]
	grep -q STOP_REASON_EXHAUSTED <<<"$found"
}

iterates() {
	local found
	found=$(call RetrievalService/Iterate "{\"open\": {$query}}" '{"credit": {"hits": 2}}' '{"close": {}}')
	[[ $(ids <<<"$found") == "note-0 note-1" ]]
	grep -q STOP_REASON_CLOSED <<<"$found"
}

# grpcurl shows details that it knows by their type, and finds that in reflection too.
shows_violations() {
	local found status=0
	found=$(call RetrievalService/Search '{"collection": "Bad Name"}' 2>&1) || status=$?
	((status == 64 + 3))
	grep -q 'Code: InvalidArgument' <<<"$found"
	grep -q '"field": "collection"' <<<"$found"
	grep -q '"reason": "SCHEMA_VIOLATION"' <<<"$found"
}

# all_ok N: of ghz's report.
all_ok() {
	local report
	report=$(cat)
	grep -q "\"OK\": $1\$" <<<"$report"
	[[ $(grep -c '": [0-9]*$' <<<"$(sed -n '/"statusCodeDistribution"/,/}/p' <<<"$report")") == 1 ]]
}

streams_searches() {
	ghz --insecure --call sluice.v1.RetrievalService.Search -d "{$query}" -n 200 -c 10 -O pretty \
		"$SLUICE_SERVER" | all_ok 200
}

streams_both_ways() {
	ghz --insecure --call sluice.v1.RetrievalService.Iterate -n 50 -c 5 -O pretty \
		-d "[{\"open\": {$query}}, {\"credit\": {\"hits\": 2}}, {\"close\": {}}]" "$SLUICE_SERVER" | all_ok 50
}

probes() {
	local service status=0
	for service in "" startup readiness liveness sluice.v1.RetrievalService; do
		grpc-health-probe -addr "$SLUICE_SERVER" -service "$service" 2>&1 | grep -q 'status: SERVING'
	done
	grpc-health-probe -addr "$SLUICE_SERVER" -service none || status=$?
	# Its exit status for a call that failed: NOT_FOUND.
	((status == 3))
}

buf_call() {
	buf curl --protocol grpc --http2-prior-knowledge "${@:2}" "http://$SLUICE_SERVER/sluice.v1.$1"
}

calls_by_reflection() {
	local protocol
	for protocol in grpc-v1 grpc-v1alpha; do
		buf_call CollectionService/GetCollection --reflect-protocol "$protocol" -d '{"name": "story"}' |
			grep -q '"dimension": 3'
	done
	buf_call RetrievalService/Search -d "{$query}" | ids | grep -qx 'note-0 note-1 note-2'
}

calls_by_schema() {
	buf_call RetrievalService/Search --schema "$protos" -d "{$query}" | ids | grep -qx 'note-0 note-1 note-2'
}

# The commands of README.md, whose notes are not the story's, each of which has to be fine.
does_what_README_says() {
	make_notes
	readme "With stock tools" sh | sed "s/127.0.0.1:7700/$SLUICE_SERVER/" >"$work/readme.sh"
	bash -eux -o pipefail "$work/readme.sh" >"$work/readme.log"
	cat "$work/readme.log"
	grep -qx sluice.v1.RetrievalService "$work/readme.log"
	[[ $(ids <"$work/readme.log") == "note-2 note-3 note-4" ]]
	grep -qE '\[OK\] +1000 responses' "$work/readme.log"
	grep -q '"metric": "METRIC_COSINE"' "$work/readme.log"
}

story() {
	step grpcurl lists
	step grpcurl describes
	step grpcurl creates
	step grpcurl upserts
	step grpcurl searches
	step grpcurl iterates
	step grpcurl "shows violations"
	step ghz "streams searches"
	step ghz "streams both ways"
	step grpc-health-probe probes
	step buf "calls by reflection"
	step buf "calls by schema"
	if command -v ghz grpc-health-probe buf >/dev/null; then
		step bash "does what README says"
	fi
}

find_tools
command -v grpcurl >/dev/null || skip "without grpcurl there is nothing for the others to ask for"
protos=$(readlink -f "$root/proto/sluice/v1/chunk.proto" | sed 's|/sluice/v1/.*||')
start_server
tell story
if server_ends_well; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
synthesis "$passed" "$failed"
