package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var today = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// small are the files of a repository with a module, one that requires it, a command that requires both, and tests.
func small() map[string]string {
	return map[string]string{
		".gitignore":     "/out/\n",
		"LICENSE":        "MIT\n",
		"CHANGELOG.md":   "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Everything.\n",
		"go.mod":         "module " + ours + "\n\ngo 1.25.2\n",
		"session.go":     "package session\n",
		"out/bench.txt":  "ignored\n",
		"redis/go.mod":   "module " + ours + "/redis\n\nrequire " + ours + " v0.1.0\n",
		"redis/redis.go": "package redis\n\nimport _ \"" + ours + "\"\n",
		"cmd/go.mod": "module " + ours + "/cmd\n\nrequire " + ours + " v0.1.0\n\nrequire " + ours +
			"/redis v0.1.0 // indirect\n",
		"cmd/LICENSE": "another\n",
		"cmd/main.go": "package main\n\nfunc main() {}\n",
		"internal/go.mod": "module " + ours + "/internal\n\nrequire " + ours + " v0.1.0\n\nreplace " + ours +
			" => ..\n",
		"go.work": "use (\n\t.\n\t./cmd\n\t./internal\n\t./redis\n)\n\n" +
			"replace " + ours + " v0.1.0 => .\n\nreplace " + ours + "/redis v0.1.0 => ./redis\n",
	}
}

// repository commits files in a new folder.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		write(t, root, name, text)
	}
	mustGit(t, root, "init", "--quiet")
	commit(t, root)
	return root
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	disk := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(disk), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(disk, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func commit(t *testing.T, root string) {
	t.Helper()
	mustGit(t, root, "add", ".")
	mustGit(t, root, "-c", "user.name=ada", "-c", "user.email=ada@example.test",
		"commit", "--quiet", "--allow-empty", "--message", "all")
}

func mustGit(t *testing.T, root string, args ...string) string {
	t.Helper()
	out, err := git(root, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mustRead(t *testing.T, root string) *tree {
	t.Helper()
	tree, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestGoSumHasTheHashesThatTheTagsWillHave(t *testing.T) {
	root := repository(t, small())
	if err := mustRead(t, root).prepare("v0.2.0", today); err != nil {
		t.Fatal(err)
	}
	commit(t, root)
	if err := mustRead(t, root).verify("v0.2.0"); err != nil {
		t.Error(err)
	}

	write(t, root, "session.go", "package session // changed\n")
	commit(t, root)
	if err := mustRead(t, root).verify("v0.2.0"); err == nil {
		t.Error("verify = nil after a change, want the go.sum that has another hash")
	}
}

func TestPrepareWritesTheVersionEverywhere(t *testing.T) {
	root := repository(t, small())
	if err := mustRead(t, root).prepare("v0.2.0", today); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"CHANGELOG.md":    "## [Unreleased]\n\n## [0.2.0] - 2026-11-29\n\n### Added\n",
		"go.work":         ours + "/redis v0.2.0 => ./redis\n",
		"redis/go.mod":    "require " + ours + " v0.2.0\n",
		"cmd/go.mod":      ours + "/redis v0.2.0 // indirect\n",
		"internal/go.mod": "require " + ours + " v0.2.0\n",
	} {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q: %v\n%s", name, want, err, text)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "internal", "go.sum")); !os.IsNotExist(err) {
		t.Errorf("internal/go.sum: %v, want none, for it takes the modules from their folders", err)
	}
}

func TestAReleaseThatIsPreparedTwiceIsTheSame(t *testing.T) {
	root := repository(t, small())
	for range 2 {
		if err := mustRead(t, root).prepare("v0.2.0", today); err != nil {
			t.Fatal(err)
		}
		commit(t, root)
	}
	if changed := mustGit(t, root, "diff", "--name-only", "HEAD~1"); changed != "" {
		t.Errorf("the second time changed %q", changed)
	}
}

func TestTagsComeInTheOrderOfDependence(t *testing.T) {
	got := mustRead(t, repository(t, small())).tags("v0.2.0")
	if want := []string{"v0.2.0", "redis/v0.2.0", "cmd/v0.2.0"}; !slices.Equal(got, want) {
		t.Errorf("tags = %q, want %q", got, want)
	}
}

var refusals = []struct {
	name    string
	version string
	tag     string            // one that is there
	files   map[string]string // what the commit has instead
	added   string            // a file that is not committed
	want    string
}{
	{name: "no version", version: "0.2.0", want: "v0.1.0"},
	{name: "half a version", version: "v0.2", want: "v0.1.0"},
	{name: "a version with a build", version: "v0.2.0+one", want: "v0.1.0"},
	{name: "a version that is there", version: "v0.2.0", tag: "v0.2.0", want: "take a higher one"},
	{name: "a version below one that is there", version: "v0.9.0", tag: "v0.10.0", want: "take a higher one"},
	{name: "changes", version: "v0.2.0", added: "new.go", want: "the work tree has changes"},
	{name: "nothing to tell", version: "v0.2.0", want: "nothing under Unreleased", files: map[string]string{
		"CHANGELOG.md": "## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n- Something.\n",
	}},
	{name: "more to tell of a version that is told", version: "v0.2.0", want: "move that", files: map[string]string{
		"CHANGELOG.md": "## [Unreleased]\n\n- More.\n\n## [0.2.0] - 2026-01-01\n\n- Something.\n",
	}},
	{name: "no heading", version: "v0.2.0", want: "no heading", files: map[string]string{
		"CHANGELOG.md": "# Changelog\n",
	}},
	{name: "two versions required", version: "v0.2.0", want: "one version", files: map[string]string{
		"redis/go.mod": "module " + ours + "/redis\n\nrequire " + ours + " v0.1.1\n",
	}},
	{name: "a replace", version: "v0.2.0", want: "redis/go.mod has replace", files: map[string]string{
		"redis/go.mod": "module " + ours + "/redis\n\nrequire " + ours + " v0.1.0\n\nreplace " + ours + " => ..\n",
	}},
	{name: "an unreleased module", version: "v0.2.0", want: "which is no released module", files: map[string]string{
		"redis/go.mod": "module " + ours + "/redis\n\nrequire " + ours + "/internal v0.1.0\n",
	}},
}

func TestWhatCannotBeReleasedIsRefusedAndChangesNothing(t *testing.T) {
	for _, row := range refusals {
		t.Run(row.name, func(t *testing.T) {
			files := small()
			maps.Copy(files, row.files)
			root := repository(t, files)
			if row.tag != "" {
				mustGit(t, root, "tag", row.tag)
			}
			if row.added != "" {
				write(t, root, row.added, "package session\n")
			}
			before := mustGit(t, root, "status", "--porcelain")
			err := mustRead(t, root).prepare(row.version, today)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("prepare(%q) = %v, want an error with %q", row.version, err, row.want)
			}
			if after := mustGit(t, root, "status", "--porcelain"); after != before {
				t.Errorf("prepare(%q) was refused, and changed\n%s", row.version, after)
			}
		})
	}
}

func TestAStagedVersionIsAboveTheRequiredOne(t *testing.T) {
	tree := mustRead(t, repository(t, small()))
	one, err := tree.unreleasedVersion()
	if err != nil {
		t.Fatal(err)
	}
	two, err := tree.unreleasedVersion()
	if err != nil || one == two || !strings.HasPrefix(one, "v0.1.1-tree.") {
		t.Errorf("unreleasedVersion = %q, then %q, %v, want two above v0.1.0", one, two, err)
	}
}

func TestTidyKeepsVersionsAndHashesOfTheTree(t *testing.T) {
	files := small()
	files["redis/go.sum"] = ours + " v0.1.0 h1:released=\n" + ours + " v0.1.0/go.mod h1:mod=\n"
	root := repository(t, files)
	tree, out := mustRead(t, root), t.TempDir()
	if err := tree.stage(out, "v0.1.1-tree.x"); err != nil {
		t.Fatal(err)
	}
	staged := filepath.Join(out, "mod", "redis", "go.sum")
	text, err := os.ReadFile(staged)
	if err != nil || strings.Contains(string(text), "released=") {
		t.Fatalf("the staged go.sum is %q, %v, want the hashes of the tree", text, err)
	}
	if err := os.WriteFile(staged, append(text, "example.test/tidied v1.0.0 h1:x=\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := tree.adopt(out); err != nil {
		t.Fatal(err)
	}
	if got, want := mustGit(t, root, "diff", "--name-only"), "redis/go.sum\n"; got != want {
		t.Errorf("changed are %q, want %q", got, want)
	}
	after, err := os.ReadFile(filepath.Join(root, "redis", "go.sum"))
	if want := "example.test/tidied v1.0.0 h1:x=\n" + files["redis/go.sum"]; err != nil || string(after) != want {
		t.Errorf("redis/go.sum is %q, %v, want %q", after, err, want)
	}
}
