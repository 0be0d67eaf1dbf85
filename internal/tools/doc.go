// Package tools holds no code: its go.mod pins the tools that make runs, and the scripts beside it run them. Below it
// is the one tool of our own. A test reads the Dockerfiles of the repository with the parser of BuildKit, which needs a
// newer Go than the library. v0.31 is the last that the oldest Go of these tools can build.
package tools
