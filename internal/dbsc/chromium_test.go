package dbsc_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/dbsc"
)

// The file has what Chromium 156 sent to a server of this module: a registration, and refreshes by the same key.
func TestProofsOfChromiumAreGood(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "chromium-156.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var key *dbsc.Key
	for line := range strings.Lines(string(text)) {
		kind, sent, _ := strings.Cut(strings.TrimSpace(line), " ")
		got, err := dbsc.Text([]string{sent})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		p, err := dbsc.ParseProof(got)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if (p.Key != nil) != (kind == "registration") || len(p.Challenge) != 54 {
			t.Errorf("%s: the challenge is %q, and a key came: %v", kind, p.Challenge, p.Key != nil)
		}
		if p.Key != nil {
			key = p.Key
		}
		if err := p.Verify(key); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
