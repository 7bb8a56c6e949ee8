#!/bin/bash
# Writes the image of Sluice as an OCI layout: a folder that any container tool reads.
#
#   bazel run //bazel/image -- DIR
#
# DIR is replaced where it is such a layout already. The same program and packages give the same
# bytes. From there:
#
#   skopeo copy oci:DIR docker-daemon:sluice:0.1.0       # or docker://HOST/NAME:TAG, or an archive
#   umoci unpack --rootless --image DIR:0.1.0 BUNDLE
set -euo pipefail

if (($# != 1)) || [[ $1 == -* ]]; then
	echo "usage: bazel run //bazel/image -- DIR" >&2
	exit 2
fi
target=$1
# Bazel runs it among what it is made from: DIR is meant from where the user stands.
[[ $target == /* ]] || target=${BUILD_WORKING_DIRECTORY:-$PWD}/$target
exec python3 -E -s -B bazel/image/image.py service/sluice "$target"
