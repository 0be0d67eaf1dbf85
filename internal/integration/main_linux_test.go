package integration_test

import (
	"os"
	"testing"

	"github.com/coatcheck/session/internal/integration/servers"
)

func TestMain(m *testing.M) {
	code := run(m)
	os.Exit(code)
}

// run stops the servers also when a test panics.
func run(m *testing.M) int {
	defer servers.StopAll()
	return m.Run()
}
