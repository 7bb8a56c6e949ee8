#!/bin/bash
# Runs the tests in Go against a server: errors_test.go, story_test.go, and README.md's program as it is
# printed there, with stubs made as README.md says. The modules, pinned by go.sum, and what is built of
# them are kept in ~/.cache/sluice/go.
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
mkdir -p "$work/module/readme" "$work/bin"
cp "$here"/*.go "$here"/go.mod "$here"/go.sum "$work/module"
cd "$work/module"

# The stubs are a module of their own: it has to be there before anything is asked of go.
ln -s "$(readlink -f "$root/proto/sluice/v1/chunk.proto" | sed 's|/sluice/v1/.*||')" proto
mkdir sluice
printf 'module sluice\n\ngo %s\n' "$wanted" >sluice/go.mod
if ! go mod download >"$work/download.log" 2>&1; then
	cat "$work/download.log"
	grep -qE "$unreachable" "$work/download.log" || exit 1
	skip "the module proxy cannot be reached"
fi
for tool in protoc-gen-go protoc-gen-go-grpc; do
	ln -s "$(go tool -n "$tool")" "$work/bin/$tool"
done
PATH=$work/bin:$PATH
readme "From Go" sh | grep '^protoc ' >stubs.sh
bash -eux stubs.sh
readme "From Go" go | sed 's/"127.0.0.1:7700"/os.Getenv("SLUICE_SERVER")/; s/^import (/&\n\t"os"/' >readme/main.go

go vet ./...
go test -c -o "$work/test" .
go build -o "$work/readme" ./readme

start_server
"$work/test" -test.v >"$work/log" 2>&1 || true
cat "$work/log"
passed=$(grep -c '^--- PASS: ' "$work/log" || true)
failed=$(grep -c '^--- FAIL: ' "$work/log" || true)
# A panic ends the program before the rest of its tests are told of.
tail -1 "$work/log" | grep -qx PASS || ((failed > 0)) || failed=1
make_notes
if finds_notes "$work/readme"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
if server_ends_well; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
synthesis "$passed" "$failed"
