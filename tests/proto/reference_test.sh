#!/bin/bash
# proto/REFERENCE.md is what the .proto files make of it, its links lead somewhere, and a rule that the
# page has no words for stops it.
set -euo pipefail

if ! diff proto/REFERENCE.md proto/reference/made.md; then
	echo "proto/REFERENCE.md is not current: bazel run //proto/reference -- --write"
	exit 1
fi

# GitHub's anchors: the heading in small letters, without points.
anchors=$(sed -n 's/^##* //p' proto/REFERENCE.md | tr '[:upper:]' '[:lower:]' | tr -d . | sort)
[[ -z $(uniq -d <<<"$anchors") ]] || {
	echo "two headings have one anchor"
	exit 1
}
for link in $(grep -o '](#[^)]*)' proto/REFERENCE.md | sort -u | sed 's/](#\(.*\))/\1/'); do
	grep -qx "$link" <<<"$anchors" || {
		echo "no heading for #$link"
		exit 1
	}
done

# A rule that nobody has worded.
set=$TEST_TMPDIR/unworded.binpb
protoc -I tests/proto -I proto --include_imports --include_source_info --descriptor_set_out="$set" unworded.proto
if python3 -E -s -B proto/reference/page.py -I proto "$set" >/dev/null 2>"$TEST_TMPDIR/log"; then
	echo "a rule without words was passed over"
	exit 1
fi
grep -q 'host: a rule without words: string.hostname' "$TEST_TMPDIR/log" || {
	cat "$TEST_TMPDIR/log"
	exit 1
}
