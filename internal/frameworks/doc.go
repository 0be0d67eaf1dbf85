// Package frameworks tests the lines of docs/frameworks.md, each in the framework that it is for, by real clients. It
// is a module of its own, so that nobody who uses the library downloads the frameworks, and it is never released. The
// last versions of echo 4 and of connect need a newer Go than this library; those here are the last that do not.
package frameworks
