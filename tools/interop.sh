#!/bin/sh
# Starts `targon chain dev` and drives it with @polkadot/api from npm.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
chain=
trap '[ -z "$chain" ] || kill "$chain" 2>/dev/null || true; rm -rf "$work"' EXIT
go build -o "$work/targon" ./cmd/targon
cp tools/interop/package.json tools/interop/chain.mjs "$work"
(cd "$work" && npm install --no-audit --no-fund --silent)
"$work/targon" chain dev --listen 127.0.0.1:0 >"$work/said" &
chain=$!
until grep -q 'ws://' "$work/said"; do
	kill -0 "$chain" # the chain did not start
	sleep 0.1
done
endpoint=$(sed -n 's/.*\(ws:[^,]*\),.*/\1/p' "$work/said")
(cd "$work" && node chain.mjs "$endpoint")
