#!/bin/bash
# The GPU's tests once more under Khronos's validation layers, synchronisation validation included: not
# one message. Skipped where the layers are not installed (bazel/setup has them). The layers are looked
# for where Debian puts them, or in VK_LAYER_PATH.
set -euo pipefail

layers=${VK_LAYER_PATH:-/usr/share/vulkan/explicit_layer.d}
if [[ ! -e $layers/VkLayer_khronos_validation.json ]]; then
	echo "SKIPPED: no validation layers (package vulkan-validationlayers)"
	echo "[====] Synthesis: Tested: 0 | Passing: 0 | Failing: 0 | Crashing: 0"
	exit 0
fi
export VK_LAYER_PATH=$layers
export VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation
export VK_LAYER_ENABLES=VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT

log=$TEST_TMPDIR/log
passed=0 failed=0
for test in "$@"; do
	if "$test" --jobs 1 >"$log" 2>&1 &&
		! grep -qaE 'VUID|SYNC-HAZARD|Validation|SKIPPED' "$log"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "== $test"
		grep -aE 'VUID|SYNC-HAZARD|Validation|SKIPPED|FAIL' "$log" | cut -c1-400 | head -20
	fi
done
echo "[====] Synthesis: Tested: $((passed + failed)) | Passing: $passed | Failing: $failed | Crashing: 0"
((failed == 0))
