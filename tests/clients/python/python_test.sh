#!/bin/bash
# Makes the stubs, then runs the tests in run.py.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
requirements=$here/requirements.txt
test="python client"
# shellcheck source=tests/support/python.sh
. "$root/tests/support/python.sh"

cd "$root/proto"
stubs --grpc_python_out="$work/stubs" sluice/v1/*.proto buf/validate/validate.proto
PYTHONPATH=$work/stubs PYTHONDONTWRITEBYTECODE=1 "$python" "$here/run.py" \
	--sluice "$root/service/sluice" --protos "$root/proto" --work "$work"
