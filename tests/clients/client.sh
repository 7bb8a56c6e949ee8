# What the clients in Go and Node share: a cache, a server, and a sum such as Criterion prints.
#
# Sourced by their scripts, which set `client` to the language's name first. Gives root, work (removed
# at the end) and cache, which is outside the checkout and shared by all configurations and clones.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(TMPDIR=${TEST_TMPDIR:-/tmp} mktemp -d)
server=
# A killed server is the test's own doing: its end was looked at before.
trap '[[ -z $server ]] || kill -9 "$server" 2>/dev/null; rm -rf "$work"' EXIT

# A test has no HOME; ~ of .bazelrc comes from the user database too. The languages' own settings,
# such as which proxy to ask, are found there.
HOME=$(getent passwd "$EUID" | cut -d: -f6)
export HOME=${HOME:?no home for a cache}
cache=$HOME/.cache/sluice
mkdir -p "$cache"

# synthesis PASSED FAILED: the last line, which bazel/count.py reads; the exit status is FAILED > 0.
synthesis() {
	echo "Synthesis: Tested: $(($1 + $2)) | Passing: $1 | Failing: $2 | Crashing: 0"
	exit $(($2 > 0))
}

# skip WHY: nothing ran, and bazel/test shows why at its end.
skip() {
	echo "SKIPPED: $client client: $1"
	synthesis 0 0
}

# What the downloaders say when what they ask cannot be reached. Anything else is a failure.
unreachable='ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|ERR_SOCKET|network'
unreachable+='|SELF_SIGNED_CERT|x509:'
unreachable+='|dial tcp|no such host|i/o timeout|TLS handshake timeout|connection refused|403 Forbidden'

# start_server: sets server and exports SLUICE_SERVER.
start_server() {
	local line
	# There before it is looked at: the server's own shell opens it in its own time.
	: >"$work/address"
	"$root/service/sluice" serve --listen 127.0.0.1:0 --data "$work/data" --gpu off \
		>"$work/address" &
	server=$!
	for ((i = 0; i < 600; i++)); do
		line=$(head -1 "$work/address")
		[[ $line == "listening on "* ]] && break
		kill -0 "$server" || exit 1
		sleep 0.1
	done
	export SLUICE_SERVER=${line#listening on }
}

# server_ends_well: whether it exits with 0 when it is told to; a sanitizer would change that.
server_ends_well() {
	local ended=$server
	server=
	kill -TERM "$ended" && wait "$ended"
}

# readme HEADING LANGUAGE: the first block of the language in a section of README.md; fails without one.
readme() {
	local checkout
	# Not the place of the test: what it sources are links to the checkout.
	checkout=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../..
	awk -v heading="## $1" -v fence="\`\`\`$2" '
		/^## / { section = $0 == heading }
		section && $0 == fence { block = 1; next }
		block && /^```$/ { exit }
		block
		END { exit !block }' "$checkout/README.md"
}

# make_notes: the collection that README.md's programs search, after start_server.
make_notes() {
	for ((i = 0; i < 100; i++)); do
		echo "{\"id\": \"note-$i\", \"text\": \"Note number $i\", \"vector\": [1, $i, 0]}"
	done >"$work/notes.jsonl"
	"$root/service/sluice" import notes "$work/notes.jsonl" --create --progress never
}

# finds_notes PROGRAM...: whether README.md's program prints the notes nearest to [1, 2, 0].
finds_notes() {
	"$@" >"$work/notes.log" 2>&1 || true
	cat "$work/notes.log"
	[[ $(head -1 "$work/notes.log") == "0 1 note-2 Note number 2" && $(wc -l <"$work/notes.log") == 10 ]]
}

# tell PROGRAM...: runs a story, which prints "ok STEP" or "not ok STEP: why" for each, and sets passed and failed.
tell() {
	local status=0
	"$@" >"$work/story.log" 2>&1 || status=$?
	cat "$work/story.log"
	passed=$(grep -c '^ok ' "$work/story.log" || true)
	failed=$(grep -c '^not ok ' "$work/story.log" || true)
	# It did not come to its end, or has told nothing.
	((status == 0 || failed > 0)) || failed=1
	((passed > 0)) || failed=1
}
