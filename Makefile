.DEFAULT_GOAL := help
MODULES := $(sort $(dir $(shell find . -name go.mod -not -path './internal/tools/*')))

.PHONY: help test
help: ## Show this help.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

test: ## Test every module with the race detector.
	@set -e; for m in $(MODULES); do echo "== $$m"; (cd $$m && go vet ./... && go test -race -shuffle=on -count=1 -timeout 15m ./...); done
