#!/bin/bash
# The API reference, from the .proto files as they are now.
#
#   bazel run //proto/reference              prints it
#   bazel run //proto/reference -- --write   puts it where it is kept: proto/REFERENCE.md
set -euo pipefail

made=proto/reference/made.md
case ${1-} in
'') cat "$made" ;;
--write) cat "$made" >"${BUILD_WORKSPACE_DIRECTORY:?is set by bazel run}/proto/REFERENCE.md" ;;
*)
	echo "usage: bazel run //proto/reference [-- --write]" >&2
	exit 2
	;;
esac
