#!/bin/bash
# Runs errors_test.go against a server. The modules, pinned by go.sum, and what is built of them are
# kept in ~/.cache/sluice/go.
set -euo pipefail
client=Go
# shellcheck source=tests/clients/client.sh
source "$(dirname "${BASH_SOURCE[0]}")/../client.sh"

here=$root/tests/clients/go
PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || skip "go is not installed"
export GOPATH=$cache/go GOCACHE=$cache/go/build GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=readonly
wanted=$(sed -n 's/^go //p' "$here/go.mod")
found=$(cd / && go env GOVERSION)
[[ $(printf '%s\n' "$wanted" "${found#go}" | sort -V | head -1) == "$wanted" ]] ||
	skip "$found is older than the $wanted that its modules need"

# go wants real files, and is not to write beside them.
mkdir "$work/module"
cp "$here"/*.go "$here"/go.mod "$here"/go.sum "$work/module"
cd "$work/module"
if ! go mod download >"$work/download.log" 2>&1; then
	cat "$work/download.log"
	grep -qE "$unreachable" "$work/download.log" || exit 1
	skip "the module proxy cannot be reached"
fi
go vet .
go test -c -o "$work/test" .

start_server
"$work/test" -test.v >"$work/log" 2>&1 || true
cat "$work/log"
passed=$(grep -c '^--- PASS: ' "$work/log" || true)
failed=$(grep -c '^--- FAIL: ' "$work/log" || true)
# A panic ends the program before the rest of its tests are told of.
tail -1 "$work/log" | grep -qx PASS || ((failed > 0)) || failed=1
if server_ends_well; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
synthesis "$passed" "$failed"
