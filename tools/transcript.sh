#!/usr/bin/env bash
# Puts what `targon up` really prints between README.md's transcript markers.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp)
trap 'rm -f "$out" "$out.md"' EXIT
go run ./cmd/targon up --epochs 3 --seed 7 >"$out" 2>&1 </dev/null
awk -v out="$out" '
  /<!-- transcript -->/ { print; print "```text"; while ((getline line < out) > 0) print line; print "```"; skip = 1; next }
  /<!-- end of transcript -->/ { skip = 0 }
  !skip { print }' README.md >"$out.md"
cp "$out.md" README.md
