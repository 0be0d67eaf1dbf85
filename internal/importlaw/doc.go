// Package importlaw keeps the laws of this repository as tests: which package may import which (law_test.go), what
// library code never does (lint_test.go), and that the public surface changes only on purpose (surface_test.go). Each
// rule carries the reason that a failure prints.
package importlaw
