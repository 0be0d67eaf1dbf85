// Package tools holds no code: its go.mod pins the tools that make runs, and the scripts beside it run them. Below it
// is the one tool of our own.
package tools
