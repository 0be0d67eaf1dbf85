// Package importlaw keeps two laws of this repository as tests: which package may import which (law_test.go), and what
// library code never does (lint_test.go). Each rule carries the reason that a failure prints.
package importlaw
