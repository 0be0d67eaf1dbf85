// Package integration tests the stores against real databases and servers. It is a module of its own, so that nobody
// who uses the library downloads their drivers, and it is never released.
package integration
