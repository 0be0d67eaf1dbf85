package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What the first command of a newcomer links is what it makes them wait for.
func TestTheDemoLinksNoDriver(t *testing.T) {
	const format = "{{if not .Standard}}{{.ImportPath}}{{end}}"
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, ".")
	cmd.Env = append(os.Environ(), "GOWORK=", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, path := range strings.Fields(string(out)) {
		if !strings.HasPrefix(path, "github.com/coatcheck/session") || strings.Contains(path, "sqlstore") {
			t.Errorf("the demo links %s", path)
		}
	}
}

func TestTheDemoOpensTheStoreItWasAskedFor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for _, row := range []struct{ args, want string }{
		{"-data " + dir, "files"}, {"-store file -data " + dir, "files"}, {"-store memory", "memory"},
	} {
		opts, err := parse(strings.Fields(row.args))
		if err != nil {
			t.Fatalf("demo %s: %v", row.args, err)
		}
		place, err := opts.Open(t.Context())
		if err != nil || place.Name != row.want {
			t.Errorf("demo %s opens %+v, %v; want %s", row.args, place, err, row.want)
		}
	}
}

func TestTheDemoExplainsWhatItDoesNotHave(t *testing.T) {
	for args, want := range map[string]string{
		"-store redis": "coatcheck demo", "here": `"here"`, "-nonsense": "nonsense", "-data": "data",
	} {
		if _, err := parse(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("demo %s = %v, want %q in it", args, err, want)
		}
	}
}
