#!/bin/bash
# Builds the client in C++ with what Debian has, and has it tell its story to a server; then the program of README.md.
#
# Stubs are kept in ~/.cache/sluice/cpp-SUM and programs in cpp-program-SUM: made under a lock, beside
# their place, and moved there when whole.
set -euo pipefail
client=C++
# shellcheck source=tests/clients/client.sh
source "$(dirname "${BASH_SOURCE[0]}")/../client.sh"

here=$root/tests/clients/cpp
for tool in g++ make pkg-config protoc grpc_cpp_plugin; do
	command -v "$tool" >/dev/null || skip "$tool is not installed"
done
# What this is: the sums change with it.
library=$(dpkg-query -W -f '${Version}' libgrpc++-dev 2>/dev/null) || skip "libgrpc++-dev is not installed"
toolchain="$library $(protoc --version) $(g++ -dumpfullversion)"

# sum_of FILE...: of what is made from these files.
sum_of() {
	(echo "$toolchain" && cat "$@") | sha256sum | cut -c1-16
}

# made PLACE COMMAND...: runs the command with OUT, a new folder that becomes the place.
made() {
	local place=$1 new=$1.$$
	shift
	[[ ! -d $place ]] || return 0
	exec 9>"$cache/cpp.lock"
	flock 9
	if [[ ! -d $place ]]; then
		# Left by a run that was killed.
		rm -rf "$place".*
		mkdir "$new"
		OUT=$new "$@" >"$work/make.log" 2>&1 || {
			cat "$work/make.log"
			rm -rf "$new"
			exit 1
		}
		mv "$new" "$place"
	fi
	exec 9>&-
}

make_stubs() {
	make -C "$here" -j2 PROTO="$root/proto" OUT="$OUT" "$OUT/libsluice.a"
	find "$OUT" -name '*.o' -delete
}

# As README.md has it compiled, but for the stubs, which are there.
make_programs() {
	local name
	for name in client readme; do
		# shellcheck disable=SC2046 # they are words
		g++ -std=c++17 -O0 -Wall -Wextra -Werror -I"$stubs" -o "$OUT/$name" "$work/$name.cc" "$stubs/libsluice.a" \
			$(pkg-config --cflags --libs grpc++ protobuf)
	done
}

readarray -t protos < <(find -L "$root/proto" -name '*.proto' | sort)
stubs=$cache/cpp-$(sum_of "${protos[@]}" "$here/Makefile")
made "$stubs" make_stubs
cp "$here/client.cc" "$work/client.cc"
readme "From C++" cpp | sed 's/"127.0.0.1:7700"/std::getenv("SLUICE_SERVER")/; 1i #include <cstdlib>' >"$work/readme.cc"
programs=$cache/cpp-program-$(sum_of "${protos[@]}" "$work/client.cc" "$work/readme.cc" "$0")
made "$programs" make_programs

start_server
tell "$programs/client"
make_notes
if finds_notes "$programs/readme"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
if server_ends_well; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
synthesis "$passed" "$failed"
