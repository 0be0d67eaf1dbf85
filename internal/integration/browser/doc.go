// Package browser has the tests of the demo in a real browser, Chromium: what cookies live through, what other sites
// and hosts can do, and whether the shop works without scripts and by keyboard.
package browser
