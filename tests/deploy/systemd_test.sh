#!/bin/bash
# Runs systemd_test.py, which finds what it needs from where Bazel starts it.
exec env PYTHONPATH=tests/support:tests/deploy python3 -s -B tests/deploy/systemd_test.py
