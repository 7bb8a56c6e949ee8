#!/bin/bash
# Makes the stubs and the descriptors, then runs parity.py.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../../.." && pwd)
requirements=$here/requirements.txt
test="JSON Schema parity"
# shellcheck source=tests/support/python.sh
. "$root/tests/support/python.sh"

cd "$root/proto"
stubs -I "$here/.." --include_imports --descriptor_set_out="$work/set.binpb" \
	sluice/v1/*.proto buf/validate/validate.proto \
	lists.proto messages.proto numbers.proto strings.proto
PYTHONDONTWRITEBYTECODE=1 "$python" "$here/parity.py" \
	--program "$here/parity_check" --set "$work/set.binpb" --stubs "$work/stubs"
