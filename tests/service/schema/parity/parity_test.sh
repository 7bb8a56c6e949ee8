#!/bin/bash
# Makes the virtual environment, the stubs and the descriptors, then runs parity.py.
#
# The environment is kept as tests/clients/python keeps its own: outside the checkout, in
# ~/.cache/sluice/python-SUM, made under a lock, beside its place, and moved there when whole.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../../.." && pwd)
work=$(TMPDIR=${TEST_TMPDIR:-/tmp} mktemp -d)
trap 'rm -rf "$work"' EXIT

# A test has no HOME; ~ of .bazelrc comes from the user database too.
home=$(getent passwd "$EUID" | cut -d: -f6)
cache=${home:?no home for a cache}/.cache/sluice
sum=$( (python3 --version && cat "$here/requirements.txt") | sha256sum | cut -c1-16)
environment=$cache/python-$sum

# skip WHY: nothing ran, and bazel/test shows why at its end.
skip() {
	echo "SKIPPED: JSON Schema parity: $1"
	echo "Synthesis: Tested: 0 | Passing: 0 | Failing: 0 | Crashing: 0"
	exit 0
}

# What pip says when the index cannot be reached. Anything else that goes wrong is a failure.
unreachable='connection broken|Could not fetch URL|HTTP error|[Tt]imed out|Max retries exceeded'

make_environment() {
	local new=$environment.$$ log=$work/pip.log
	# Left by a run that was killed.
	rm -rf "$environment".*
	python3 -m venv "$new" >"$log" 2>&1 || {
		cat "$log"
		rm -rf "$new"
		skip "python3 -m venv does not work here (is python3-venv installed?)"
	}
	if ! "$new/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
		--only-binary :all: --retries 2 --timeout 20 \
		--requirement "$here/requirements.txt" >"$log" 2>&1 </dev/null; then
		cat "$log"
		rm -rf "$new"
		grep -qE "$unreachable" "$log" || exit 1
		skip "the package index cannot be reached"
	fi
	mv "$new" "$environment"
}

mkdir -p "$cache"
if [[ ! -d $environment ]]; then
	exec 9>"$cache/parity.lock"
	flock 9
	[[ -d $environment ]] || make_environment
	exec 9>&-
fi

mkdir "$work/stubs"
(
	cd "$root/proto"
	"$environment/bin/python" -m grpc_tools.protoc -I . -I "$here/.." \
		--include_imports --descriptor_set_out="$work/set.binpb" --python_out="$work/stubs" \
		sluice/v1/*.proto buf/validate/validate.proto \
		lists.proto messages.proto numbers.proto strings.proto
)
PYTHONDONTWRITEBYTECODE=1 "$environment/bin/python" "$here/parity.py" \
	--program "$here/parity_check" --set "$work/set.binpb" --stubs "$work/stubs"
