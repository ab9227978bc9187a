#!/usr/bin/env bash
# The kernels and the golden hashes on arm64: here if this is one, otherwise under
# qemu's user mode. Says so, and how to get it, where there is neither.
set -euo pipefail
cd "$(dirname "$0")/.."
GOARCH=arm64 go vet ./engine/native/...
run=()
if [[ $(go env GOHOSTARCH) != arm64 ]]; then
  qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)
  if [[ -z $qemu ]]; then
    echo "skipped arm64: install qemu-user (Debian: apt-get install qemu-user)" >&2
    exit 0
  fi
  run=(-exec "$qemu")
fi
GOARCH=arm64 go test -short "${run[@]}" ./engine/native/kernel
GOARCH=arm64 go test -short "${run[@]}" -run '^(TestSameBits|TestUnalignedFile)$' ./engine/native
