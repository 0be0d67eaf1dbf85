// Package pages has no code of its own. Its tests keep the code in the documents true: the Go compiles and passes its
// tests, the configuration loads, and the commands exist and run.
package pages
