GO    ?= go
TOOL  := $(GO) tool -modfile=tools/go.mod
UNITS := $(shell find . -name '*.go' -not -path './.*')

.DEFAULT_GOAL := help
.PHONY: help run check format vet imports test race fuzz lint vuln bench bench-engine bench-proof soak mutate docs model interop

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1	/p' $(MAKEFILE_LIST) | expand -t 16

run: ## start a whole network in one process
	$(GO) run ./cmd/targon up

check: format vet imports test ## format, vet, imports and tests: before every commit

format: ## fail when a file is not gofmt's
	@unlike=$$(gofmt -l $(UNITS)); test -z "$$unlike" || { echo "$$unlike" >&2; exit 1; }

vet: ## go vet; the tools are a module of their own
	$(GO) vet ./... && $(GO) -C tools vet ./... && $(GO) -C tools test ./soak ./mutate

imports: ## who imports whom, and the other structure tests
	$(GO) test -count=1 -run 'Imports|Pure|Policy|Init|Package|Folders|Word|Glossary|Depend' .

test: ## all tests
	$(GO) test ./...
race: ## all tests under the race detector
	$(GO) test -race ./...
fuzz: ## every fuzz target for FUZZTIME (100000x) each
	tools/fuzz.sh
lint: ## golangci-lint; the first build takes minutes
	$(TOOL) golangci-lint run
vuln: ## known vulnerabilities, if the database can be reached
	$(TOOL) govulncheck ./...
bench: ## all benchmarks, once
	$(GO) test -run '^$$' -bench . -benchtime 1s ./...
bench-engine: ## the engine beside llama.cpp, which is built first (4 CPU minutes)
	tools/bench-engine.sh
bench-proof: ## cheats and the honest, 100000 ids each (half an hour); writes docs/benchmarks/proof.md
	$(GO) run ./cmd/targon bench proof --tokens 100000 --page docs/benchmarks --at "$$(git rev-parse --short HEAD)"
soak: ## targon up over seeds 1 to 20, each result checked
	$(GO) -C tools run ./soak -root ..
mutate: ## turn round each condition that decides, one at a time; a test must fail (ten minutes)
	$(GO) -C tools run ./mutate -root .. proof evidence score weights challenge merkle calibrate bundle
docs: ## put what targon up really prints into README.md
	tools/transcript.sh
model: ## train the built-in model again (needs PyTorch, takes half an hour)
	tools/model.sh
interop: ## targon chain dev driven by @polkadot/api (needs Node.js and npm)
	tools/interop.sh
