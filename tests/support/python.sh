# A Python test's surroundings: a virtual environment of pinned packages, and a folder of its own.
#
# Sourced by the script of each such test, which sets `test` to what a skip is to be called, `root` to
# the checkout and `requirements` to its file of packages first. Gives `python`, and `work`, which is
# removed at the end. The environment is kept outside the checkout, in ~/.cache/sluice/python-SUM, and
# shared by all tests, configurations and clones that ask for the same: it is made under a lock, beside
# its place, and moved there when whole.
work=$(TMPDIR=${TEST_TMPDIR:-/tmp} mktemp -d)
trap 'rm -rf "$work"' EXIT

# A test has no HOME; ~ of .bazelrc comes from the user database too.
home=$(getent passwd "$EUID" | cut -d: -f6)
cache=${home:?no home for a cache}/.cache/sluice
sum=$( (python3 --version && cat "$requirements") | sha256sum | cut -c1-16)
environment=$cache/python-$sum
python=$environment/bin/python

# skip WHY: nothing ran, and bazel/test shows why at its end.
skip() {
	echo "SKIPPED: $test: $1"
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
		--requirement "$requirements" >"$log" 2>&1 </dev/null; then
		cat "$log"
		rm -rf "$new"
		grep -qE "$unreachable" "$log" || exit 1
		skip "the package index cannot be reached"
	fi
	mv "$new" "$environment"
}

mkdir -p "$cache"
if [[ ! -d $environment ]]; then
	exec 9>"$cache/python.lock"
	flock 9
	[[ -d $environment ]] || make_environment
	exec 9>&-
fi

# stubs ARGUMENT...: runs protoc with these; the files are named as seen from proto/, where the caller
# stands. Python's code goes to $work/stubs.
stubs() {
	mkdir -p "$work/stubs"
	"$python" -m grpc_tools.protoc -I . --python_out="$work/stubs" "$@"
}
