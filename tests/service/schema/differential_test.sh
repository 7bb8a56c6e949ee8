#!/bin/bash
# Makes the messages' code, then compares: see differential.py.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
requirements=$here/differential_requirements.txt
test="differential test of the schema check"
# shellcheck source=tests/support/python.sh
. "$root/tests/support/python.sh"

cd "$root/proto"
stubs sluice/v1/*.proto buf/validate/validate.proto
PYTHONPATH=$work/stubs PYTHONDONTWRITEBYTECODE=1 "$python" \
	"$here/differential.py" "$here/check_batch"
