#!/bin/bash
# Installs the package as pip does, out of the checkout, and runs package_test.py against a real server.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
requirements=$here/requirements.txt
test="python package"
# shellcheck source=tests/support/python.sh
. "$root/tests/support/python.sh"

# pip builds where the sources are, and these may be links.
cp -rL "$here" "$work/package"
mkdir "$work/data" "$work/site"
SLUICE_PROTO=$(readlink -f "$root/proto/sluice/v1" | sed 's|/sluice/v1$||') "$python" -m pip install \
	--quiet --disable-pip-version-check --no-build-isolation --no-deps --no-index \
	--target "$work/site" "$work/package"
cd "$work"
SLUICE_BINARY=$root/service/sluice SLUICE_WORK=$work/data PYTHONDONTWRITEBYTECODE=1 \
	PYTHONPATH=$work/site:$work/package/examples "$python" "$work/package/package_test.py"
