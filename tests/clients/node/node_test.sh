#!/bin/bash
# Runs errors.test.js against a server. The packages, pinned by package-lock.json, are kept in
# ~/.cache/sluice/node-SUM: made under a lock, beside their place, and moved there when whole.
set -euo pipefail
client=Node
# shellcheck source=tests/clients/client.sh
source "$(dirname "${BASH_SOURCE[0]}")/../client.sh"

here=$root/tests/clients/node
command -v node >/dev/null || skip "node is not installed"
command -v npm >/dev/null || skip "npm is not installed"
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
((major >= 20)) || skip "node $(node --version) is older than 20"
sum=$( (node --version && cat "$here/package-lock.json") | sha256sum | cut -c1-16)
packages=$cache/node-$sum

install_packages() {
	local new=$packages.$$
	# Left by a run that was killed.
	rm -rf "$packages".*
	mkdir "$new"
	cp "$here/package.json" "$here/package-lock.json" "$new"
	if ! npm ci --prefix "$new" --ignore-scripts --no-audit --no-fund --fetch-retries=1 \
		--fetch-timeout=30000 >"$work/npm.log" 2>&1 </dev/null; then
		cat "$work/npm.log"
		rm -rf "$new"
		grep -qE "$unreachable" "$work/npm.log" || exit 1
		skip "the package registry cannot be reached"
	fi
	mv "$new" "$packages"
}

if [[ ! -d $packages ]]; then
	exec 9>"$cache/node.lock"
	flock 9
	[[ -d $packages ]] || install_packages
	exec 9>&-
fi

# node looks for packages beside the real file.
cp "$here/errors.test.js" "$work"
ln -s "$packages/node_modules" "$work/node_modules"
start_server
SLUICE_PROTOS=$root/proto node --test --test-reporter=tap "$work/errors.test.js" \
	>"$work/log" 2>&1 || true
cat "$work/log"
passed=$(sed -n 's/^# pass //p' "$work/log")
failed=$(sed -n 's/^# fail //p' "$work/log")
# Without a sum it did not come to its end.
: "${passed:=0}" "${failed:=1}"
if server_ends_well; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
synthesis "$passed" "$failed"
