// Package pages keeps the code in the documents true, by its tests: the Go compiles and passes its tests, the
// configuration loads, and the commands exist and run. Its own code is for tests that compile what they have written.
package pages
