//go:build unix

package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Removing a file that is not there needs no right to write, so the removal that shows a write elsewhere shows nothing.
func TestAFolderOfSessionsThatTakesNoWritesFails(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	for _, below := range []string{"", "records", "users"} {
		dir := filepath.Join(t.TempDir(), "sessions")
		keys := "stores: {file: {path: " + dir + "}}"
		if got := resultsOf(examineAt(t, "file", keys))["writes"]; got != Pass {
			t.Fatalf("a new folder: writes is %q, want %q", got, Pass)
		}
		want := Pass // nothing is made in the folder above the two
		if below != "" {
			want = Fail
		}
		if err := os.Chmod(filepath.Join(dir, below), 0o500); err != nil {
			t.Fatal(err)
		}
		for _, c := range examineAt(t, "file", keys) {
			if c.Name == "writes" && (c.Result != want || want == Fail && !strings.Contains(c.Found, below)) {
				t.Errorf("%q takes no writes: %+v, want %q", below, c, want)
			}
		}
		if err := os.Chmod(filepath.Join(dir, below), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}
