#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME each (100000x), one after another,
# because the go command fuzzes one target at a time. A number of executions rather
# than a duration: when a duration ends in the middle of an execution, the go command
# may report "context deadline exceeded" as a finding.
set -euo pipefail
cd "$(dirname "$0")/.."
count=0
while IFS=: read -r file target; do
  echo "fuzz $target in $(dirname "$file") for ${FUZZTIME:-100000x}"
  go test -run '^$' -fuzz "^${target}\$" -fuzztime "${FUZZTIME:-100000x}" "$(dirname "$file")"
  count=$((count + 1))
done < <(find . -name '*_test.go' -not -path './tools/*' -exec grep -Ho '^func Fuzz[A-Za-z0-9_]*' {} + | sed 's/func //' | sort)
echo "fuzzed $count targets"
