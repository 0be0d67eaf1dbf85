//go:build unix

package sessionconfig_test

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
)

// A wrapper in a shell, when it is killed, leaves a program behind that keeps its output open.
func TestAProgramThatLeavesAnotherBehindHoldsNobodyUp(t *testing.T) {
	cfg := unsealed(t, "secrets: {command: [sh, -c, '(echo > begun; read line < gate) & wait']}")
	for _, name := range []string{"begun", "gate"} {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = os.ReadFile("begun") // waits until it is written to
		cancel()
	}()
	if _, err := cfg.Secrets(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want that of the context", err)
	}
	gate, err := os.OpenFile("gate", os.O_RDWR, 0) // lets what was left behind end
	if err != nil {
		t.Fatal(err)
	}
	_ = gate.Close()
}
