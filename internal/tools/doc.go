// Package tools holds no code: its go.mod pins the tools that make runs, and the scripts beside it run them.
package tools
