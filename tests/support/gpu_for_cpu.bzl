"""How a test is linked that gpu_for_cpu.c sends to a GPU."""

GPU_FOR_CPU_LINKOPTS = ["-Wl,--wrap=scanner_cpu_open"]
