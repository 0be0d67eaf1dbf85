.DEFAULT_GOAL := help
FUZZTIME ?= 10s
export BENCH BENCHTIME COUNT TOP MODULE PACKAGE VULN STORE SESSIONS ROUNDS VERSION PUSH SEED FOR SAMPLE PACKAGES MATCH

.PHONY: help test explore lint bench bench-peers profile scale storm screenshots cover fuzz tidy try release
help: ## Show this help.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-11s %s\n", $$1, $$2 }'
	@echo 'Every target but bench-peers, explore, mutants, profile, release, scale, screenshots and storm works on every module of the repository: the root and those below it.'

test: ## Vet and test with the race detector. On Debian, what is missing is installed.
	@internal/tools/test.sh

explore: ## Try the orders of requests that make test has no time for, in memory. COATCHECK_CASE=regexp chooses cases
	COATCHECK_EXPLORE=1 go test -count=1 -timeout 3h -v -run 'Order|Goroutines' ./internal/explore ./internal/integration/provider

lint: ## gofmt, go vet, staticcheck, govulncheck. VULN=required: fail when the vulnerability database is out of reach.
	@internal/tools/lint.sh

bench: ## Run the benchmarks, keep them in out/bench.txt, compare with the last run. BENCH=regexp COUNT=6
	@internal/tools/bench.sh

bench-peers: ## Measure the libraries of others beside this one, and write docs/benchmarks.md. ROUNDS=5 SESSIONS=100000
	@internal/tools/bench-peers.sh

profile: ## Run benchmarks with profiles, and print what costs most. BENCH=regexp MODULE=. PACKAGE=. TOP=25
	@internal/tools/profile.sh

scale: ## Measure stores with a million sessions, and write docs/operations.md. STORE=redis SESSIONS=1000000
	@internal/tools/scale.sh

storm: ## Random requests and faults on every store for five minutes, against a model. STORE=redis SEED=1 FOR=5m
	@internal/tools/storm.sh

screenshots: ## Take the pictures of the demo for the README, with Chromium.
	@internal/tools/screenshots.sh

cover: ## Test and write coverage.out, one profile for all modules.
	@internal/tools/cover.sh

fuzz: ## Run each fuzz function. FUZZTIME=10s each
	@internal/tools/fuzz.sh $(FUZZTIME)

.PHONY: mutants
mutants: ## Change the code in small ways and list what no test notices. SAMPLE=300 (0: all) SEED=1 PACKAGES=.,guard MATCH=regexp
	@internal/tools/mutants.sh

tidy: ## go mod tidy.
	@internal/tools/tidy.sh

try: ## Install and use everything as a stranger would, from a module proxy of the work tree.
	@internal/tools/try.sh

release: ## Write a version into the tree, try it, and print the tags to push. VERSION=v0.1.0 PUSH=1 pushes them
	@internal/tools/release.sh
