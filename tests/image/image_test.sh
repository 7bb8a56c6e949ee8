#!/bin/bash
# Runs image_test.py, which finds what it needs from where Bazel starts it.
exec env PYTHONPATH=tests/support python3 -s -B tests/image/image_test.py
