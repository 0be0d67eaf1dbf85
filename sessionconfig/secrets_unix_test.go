//go:build unix

package sessionconfig_test

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
)

// What a program has printed counts, though another one that it started goes on and could print more.
func TestASecretIsReadFromAProgramThatLeavesAnotherBehind(t *testing.T) {
	cfg := unsealed(t, "secrets: {command: [sh, -c, 'echo "+secret+"; read line < gate &']}")
	if err := syscall.Mkfifo("gate", 0o600); err != nil {
		t.Fatal(err)
	}
	secrets, err := cfg.Secrets(t.Context())
	if err != nil || len(secrets) != 1 {
		t.Errorf("%d secrets, %v, want one", len(secrets), err)
	}
	gate, err := os.OpenFile("gate", os.O_WRONLY, 0) // lets what was left behind end
	if err != nil {
		t.Fatal(err)
	}
	_ = gate.Close()
}

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
	gate, err := os.OpenFile("gate", os.O_WRONLY, 0) // lets what was left behind end
	if err != nil {
		t.Fatal(err)
	}
	_ = gate.Close()
}
