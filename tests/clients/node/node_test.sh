#!/bin/bash
# Runs against a server errors.test.js, story.ts, and README.md's program as it is printed there, with
# stubs made as README.md says. The packages, pinned by package-lock.json, are kept in
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
# Node brings CAs of its own; a proxy's is among the machine's.
export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}

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
cp "$here/errors.test.js" "$here/story.ts" "$work"
ln -s "$packages/node_modules" "$root/proto" "$work"
cd "$work"
mkdir gen
readme "From TypeScript" sh | sed -n '/^protoc /,/[^\]$/p' >stubs.sh
bash -eux stubs.sh
readme "From TypeScript" ts | sed 's/"127.0.0.1:7700"/process.env.SLUICE_SERVER!/' >readme.ts

start_server
make_notes
SLUICE_PROTOS=$work/proto node --test --test-reporter=tap errors.test.js >log 2>&1 || true
cat log
passed=$(sed -n 's/^# pass //p' log)
failed=$(sed -n 's/^# fail //p' log)
# Without a sum it did not come to its end.
: "${passed:=0}" "${failed:=1}"

# counts COMMAND...: one test more.
counts() {
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $*"
	fi
}

# tells_the_story: whether it prints what its comments say.
tells_the_story() {
	node --import tsx story.ts >story.log 2>&1 || true
	sed -n 's|.*//=> ||p' story.ts | diff - story.log
}

counts node_modules/.bin/tsc --noEmit --types node story.ts readme.ts
counts tells_the_story
counts finds_notes node --import tsx readme.ts
counts server_ends_well
synthesis "$passed" "$failed"
