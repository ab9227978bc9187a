#!/usr/bin/env bash
# Trains the built-in model from the text that model/make writes. Its result is as
# good as the committed one, not equal to it; see model/train.py.
set -euo pipefail
cd "$(dirname "$0")/.."
run=${RUN:-model/run}
mkdir -p "$run"
go run ./model/make -seed 1 -bytes 24000000 -out "$run/corpus.txt"
python3 model/train.py tokens --corpus "$run/corpus.txt" --run "$run"
python3 model/train.py fit --run "$run" --minutes "${MINUTES:-22}"
python3 model/train.py export --run "$run" --out "$run/tiny.gguf"
echo "trained $run/tiny.gguf; committing it needs a page in docs/decisions"
