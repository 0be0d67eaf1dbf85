// Package other imports nothing of the module, and nothing there imports it.
package other

// Double is what the test of this package alone can notice.
func Double(n int) int { return n + n }
