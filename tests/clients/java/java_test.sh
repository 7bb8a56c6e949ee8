#!/bin/bash
# Builds the client in Java with Maven, and has it tell its story to a server; then the program of README.md.
#
# What Maven fetches is kept in ~/.cache/sluice/maven, and what is built in java-SUM: made under a lock,
# beside its place, and moved there when whole.
set -euo pipefail
client=Java
# shellcheck source=tests/clients/client.sh
source "$(dirname "${BASH_SOURCE[0]}")/../client.sh"

here=$root/tests/clients/java
for tool in java javac mvn; do
	command -v "$tool" >/dev/null || skip "$tool is not installed"
done
major=$(javac -version 2>&1 | sed 's/^javac \([0-9]*\).*/\1/')
((major >= 17)) || skip "javac $major is older than 17"

# Maven wants real files, and writes beside them.
module=$work/module
mkdir -p "$module"
cp -rL "$here/pom.xml" "$here/src" "$module"
cp -rL "$root/proto" "$work/proto"
readme "From Java" java | sed 's/"127.0.0.1:7700"/System.getenv("SLUICE_SERVER")/' >"$module/src/main/java/Notes.java"
sum=$( (javac -version && find "$module" "$work/proto" -type f | sort | xargs cat && cat "$0") | sha256sum | cut -c1-16)
built=$cache/java-$sum

build() {
	local new=$built.$$
	# Left by a run that was killed.
	rm -rf "$built".*
	if ! (cd "$module" && mvn -B -q "$@" -Dmaven.repo.local="$cache/maven" -Dsluice.proto="$work/proto" compile \
		dependency:copy-dependencies -DincludeScope=runtime) >"$work/mvn.log" 2>&1 </dev/null; then
		return 1
	fi
	mkdir "$new"
	mv "$module/target/classes" "$module/target/dependency" "$new"
	mv "$new" "$built"
}

if [[ ! -d $built ]]; then
	exec 9>"$cache/java.lock"
	flock 9
	# First with what is there: a registry that cannot be reached matters only where something is missing.
	[[ -d $built ]] || build --offline || build || {
		cat "$work/mvn.log"
		grep -qE "$unreachable|Could not transfer|Unknown host|Connect timed out" "$work/mvn.log" || exit 1
		skip "the package registry cannot be reached"
	}
	exec 9>&-
fi

# run CLASS: as a short program is run, which is over before it pays to compile it well.
run() {
	java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$built/classes:$built/dependency/*" "$1"
}

# The first score is 1 in other languages.
notes() {
	run Notes | sed 's/^0 1\.0000 /0 1 /'
}

start_server
tell run Client
make_notes
if finds_notes notes; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
fi
if server_ends_well; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
synthesis "$passed" "$failed"
