#!/usr/bin/env bash
# Measures the built-in engine beside llama.cpp on one core and writes
# docs/benchmarks/engine.md and engine.svg. The first build compiles llama.cpp, out of the
# Go module that carries it: about four CPU minutes. It needs a C++ compiler, and a
# processor with AVX2. Without these flags llama.cpp would have no vector instructions; they
# cannot be written into a go.mod.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=1 CGO_CFLAGS='-O3 -mavx2 -mfma -mf16c' CGO_CXXFLAGS='-O3 -mavx2 -mfma -mf16c'
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
go -C bench/llamacpp build -o "$work/llamacpp" .
mkdir -p docs/benchmarks
pin=()
if command -v taskset > /dev/null; then pin=(taskset -c "${CORE:-1}"); fi
"${pin[@]}" "$work/llamacpp" --out docs/benchmarks "$@"
