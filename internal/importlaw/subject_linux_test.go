package importlaw

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A history is a repository of its own, whose first commit came before the check of subjects and whose second brought
// it.
type history struct {
	t   *testing.T
	dir string
}

func newHistory(t *testing.T) history {
	t.Helper()
	h := history{t, t.TempDir()}
	h.git("init", "--quiet")
	h.commit("Before the check everything was allowed.")
	check := filepath.Join(h.dir, "internal", "tools", "subjects.sh")
	if err := os.MkdirAll(filepath.Dir(check), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(check, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h.git("add", "--all")
	h.commit("Bring the check.")
	return h
}

func (h history) git(args ...string) {
	h.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", h.dir, "-c", "user.name=x", "-c", "user.email=x@example.com",
		"-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
}

func (h history) commit(subject string) {
	h.t.Helper()
	h.git("commit", "--quiet", "--allow-empty", "--message", subject)
}

// check returns what the check says about the folder, and whether it lets it pass.
func (h history) check(dir string) (string, bool) {
	h.t.Helper()
	script := filepath.Join(repoRoot, "internal", "tools", "subjects.sh")
	out, err := exec.Command("bash", script, dir).CombinedOutput()
	return string(out), err == nil
}

func TestSubjectsOfCommitsAreJudgedSinceTheCheckIsThere(t *testing.T) {
	long := "memstore: s" + strings.Repeat("é", 61)
	h := newHistory(t)
	for _, subject := range []string{
		"filestore: sync the directory after rename", "guard, examples: name the rows", "README: say what it is",
		"internal/tools: judge subjects", long,
	} {
		h.commit(subject)
	}
	if out, ok := h.check(h.dir); !ok {
		t.Errorf("good subjects: %s, want them allowed", out)
	}
	for subject, want := range map[string]string{
		"sync the directory": "place: verb", "filestore: Sync the directory": "place: verb",
		"filestore sync": "place: verb",
		"filestore:sync": "place: verb", "filestore: sync.": "full stop", long + "é": "73 columns",
	} {
		h := newHistory(t)
		h.commit(subject)
		if out, ok := h.check(h.dir); ok || !strings.Contains(out, want) || !strings.Contains(out, subject) {
			t.Errorf("%q: allowed %v, %s, want it refused because of %q", subject, ok, out, want)
		}
	}
}

func TestSubjectsAreNotJudgedWithoutTheirHistory(t *testing.T) {
	h := newHistory(t)
	h.commit("No subject of ours.")
	shallow := t.TempDir()
	h.git("clone", "--quiet", "--depth", "1", "file://"+h.dir, shallow)
	for name, dir := range map[string]string{"shallow clone": shallow, "no repository": t.TempDir()} {
		if out, ok := h.check(dir); !ok {
			t.Errorf("%s: %s, want it allowed", name, out)
		}
	}
	h.git("reset", "--quiet", "--hard", "HEAD~2") // before the check was there
	if out, ok := h.check(h.dir); !ok {
		t.Errorf("an older history: %s, want it allowed", out)
	}
}
