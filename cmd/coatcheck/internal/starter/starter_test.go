package starter_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/starter"
	"github.com/coatcheck/session/sessionconfig"
)

// write writes a site into a new folder, and returns the folder and the texts of its files.
func write(t *testing.T, s starter.Site) (string, map[string]string) {
	t.Helper()
	s.Dir = filepath.Join(t.TempDir(), "shop")
	names, err := starter.Write(s)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(s.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return s.Dir, texts
}

func TestANewSiteHasWhatItSaysAndNothingElse(t *testing.T) {
	for _, router := range starter.Routers {
		dir, texts := write(t, starter.Site{Router: router, Version: "v1.2.3"})
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != len(texts) {
			t.Errorf("there are %d files, and %d are named, %v", len(entries), len(texts), err)
		}
		for name, text := range texts {
			if strings.ContainsAny(text, "«»") {
				t.Errorf("%s has a place that nothing was put into:\n%s", name, text)
			}
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(line); n > 121 && !strings.Contains(line, "https://") {
					t.Errorf("%s has a line of %d columns: %s", name, n, line)
				}
			}
		}
		if got := strings.Contains(texts["go.mod"], "go-chi"); got != (router == "chi") {
			t.Errorf("a site of %s requires chi: %t", router, got)
		}
		if !strings.HasPrefix(texts["go.mod"], "module example.com/shop\n") ||
			strings.Count(texts["go.mod"], " v1.2.3\n") != 2 {
			t.Errorf("the go.mod is\n%s", texts["go.mod"])
		}
	}
}

func TestTheSecretOfASiteIsItsOwn(t *testing.T) {
	dir, texts := write(t, starter.Site{Router: "nethttp"})
	_, others := write(t, starter.Site{Router: "nethttp"})
	if texts["session.secret"] == others["session.secret"] {
		t.Error("two sites have one secret")
	}
	if _, err := session.ParseSecrets(texts["session.secret"]); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(filepath.Join(dir, "session.secret"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the file of the secret is %v, %v; want it readable for its owner alone", info.Mode(), err)
	}
	for _, list := range []string{".gitignore", ".dockerignore"} {
		if !strings.Contains(texts[list], "\n*.secret\n") || !strings.Contains(texts[list], "\n*.db") {
			t.Errorf("%s leaves secrets or data in:\n%s", list, texts[list])
		}
	}
}

func TestAFolderThatIsNotEmptyStaysAsItIs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".git"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{dir, filepath.Join(dir, ".git"), filepath.Join(dir, ".git", "below")} {
		if names, err := starter.Write(starter.Site{Dir: to, Module: "x", Router: "chi"}); err == nil {
			t.Errorf("%s was written into: %v", to, names)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v, %v; want what it had", entries, err)
	}
	empty := filepath.Join(dir, "..", "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := starter.Write(starter.Site{Dir: empty, Router: "chi"}); err != nil {
		t.Errorf("an empty folder is refused: %v", err)
	}
}

func TestAModulePathThatCannotBeIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	for _, module := range []string{"my site", "a//b", "/a", "a/", "..", "a/../b", "a.", "-x", "a\nb", "a\"b", "«name»",
		"ä"} {
		dir := filepath.Join(t.TempDir(), "site")
		if _, err := starter.Write(starter.Site{Dir: dir, Module: module, Router: "chi"}); err == nil ||
			!strings.Contains(err.Error(), "--module") {
			t.Errorf("the module %q gives %v, want an error that names --module", module, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the module %q made the folder: %v", module, err)
		}
	}
	_, texts := write(t, starter.Site{Module: "example.com/shop/v2", Router: "chi"})
	if !strings.Contains(texts["README.md"], "# shop\n") {
		t.Errorf("the site is called after its version:\n%s", texts["README.md"])
	}
}

var (
	stage  = regexp.MustCompile(`(?m)^FROM (\S+)(?: AS (\S+))?$`)
	copies = regexp.MustCompile(`(?m)^COPY ((?:--\S+ )*)(.+) (\S+)$`)
	built  = regexp.MustCompile(`-o (/\S+) `)
	runs   = regexp.MustCompile(`(?m)^(?:ENTRYPOINT|HEALTHCHECK .*CMD) \["(/\S+?)"(?:, "-(\w+)")?\]$`)
)

// What one stage of the image takes is made by another one, or is a file of the site that .dockerignore lets in.
func TestTheDockerfileNamesWhatExists(t *testing.T) {
	_, texts := write(t, starter.Site{Router: "nethttp"})
	file := texts["Dockerfile"]
	stages := stage.FindAllStringSubmatch(file, -1)
	if len(stages) != 2 || stages[0][2] == "" || !strings.Contains(file, "\nUSER 65532:65532\n") {
		t.Fatalf("the stages are %q, want two, the last one without root", stages)
	}
	for _, m := range copies.FindAllStringSubmatch(file, -1) {
		from, inStage := strings.CutPrefix(strings.Fields(m[1] + "-")[0], "--from=")
		for _, source := range strings.Fields(m[2]) {
			switch {
			case inStage && (from != stages[0][2] || !strings.Contains(file, " "+source+" ")):
				t.Errorf("the stage %s makes no %s", from, source)
			case !inStage && source != "." && source != "go.sum" && texts[source] == "": // go mod tidy makes that
				t.Errorf("the site has no %s", source)
			case !inStage && strings.Contains(texts[".dockerignore"], "\n"+source+"\n"):
				t.Errorf("the image shall have %s, and .dockerignore keeps it out", source)
			}
		}
	}
	program := built.FindStringSubmatch(file)
	if program == nil || !strings.Contains(file, "COPY --from=build "+program[1]+" /site\n") {
		t.Fatalf("what is built is %q, and not copied to /site", program)
	}
	for _, m := range runs.FindAllStringSubmatch(file, -1) {
		if m[1] != "/site" || m[2] != "" && !strings.Contains(texts["main.go"], `("`+m[2]+`", `) {
			t.Errorf("the image runs %q, which is not there", m[0])
		}
	}
	if n := len(runs.FindAllString(file, -1)); n != 2 {
		t.Errorf("%d lines run something, want the entry point and the health check", n)
	}
}

// The variables that the image sets are those that the site reads.
func TestTheDockerfileSetsWhatTheSiteReads(t *testing.T) {
	_, texts := write(t, starter.Site{Router: "nethttp"})
	for _, name := range []string{"SITE_ADDR=:8080", "SESSION_CONNECTIONS__MAIN__PATH=/data/site.db"} {
		if !strings.Contains(texts["Dockerfile"], name) {
			t.Errorf("the image does not set %s", name)
		}
	}
	if !strings.Contains(texts["main.go"], `os.Getenv("SITE_ADDR")`) ||
		!strings.Contains(texts["session.yaml"], "\n  main: {driver: sqlite, path: site.db}\n") {
		t.Error("the site reads other variables than the image sets")
	}
	if slices.Sorted(maps.Keys(texts))[0] != ".dockerignore" {
		t.Error("the image has no .dockerignore")
	}
}

var (
	mounted  = regexp.MustCompile(` -v "\$PWD/(\S+):(/\S+)"`)
	exported = regexp.MustCompile(`(\w+)=(\S+)`)
)

// What the README exports leads a command to the files that the container has mounted, and puts no secret into the
// arguments of a program, where others on the machine can read it.
func TestTheReadmeLeadsCommandsToWhatTheContainerUses(t *testing.T) {
	dir, texts := write(t, starter.Site{Router: "nethttp"})
	readme := strings.ReplaceAll(texts["README.md"], " \\\n", " ")
	_, after, found := strings.Cut(readme, "\n    export ")
	mount := mounted.FindStringSubmatch(readme)
	if !found || mount == nil || strings.Contains(readme, "$(cat") {
		t.Fatalf("it exports nothing, mounts nothing, or shows a secret:\n%s", readme)
	}
	t.Chdir(dir)
	line, _, _ := strings.Cut(after, "\n")
	for _, m := range exported.FindAllStringSubmatch(line, -1) {
		t.Setenv(m[1], m[2])
		there := m[1] + "=" + strings.Replace(m[2], mount[1]+"/", mount[2]+"/", 1)
		if !strings.Contains(readme, " -e "+there+" ") && !strings.Contains(texts["Dockerfile"], there) {
			t.Errorf("the container has no %s", there)
		}
	}
	cfg, err := sessionconfig.Load("session.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Place().Path != mount[1]+"/site.db" || cfg.SecretsFile() != mount[1]+"/session.secret" {
		t.Errorf("commands use %s and %s, not what is in %s", cfg.Place().Path, cfg.SecretsFile(), mount[1])
	}
	for _, list := range []string{".gitignore", ".dockerignore"} {
		if !strings.Contains(texts[list], "\n"+mount[1]+"\n") {
			t.Errorf("%s leaves %s in", list, mount[1])
		}
	}
}

// The container runs as whoever starts it, which root has to be told before.
func TestTheReadmeKeepsRootFromRunningTheContainer(t *testing.T) {
	_, texts := write(t, starter.Site{Router: "nethttp"})
	before, _, found := strings.Cut(texts["README.md"], `docker run -d --user "$(id -u):$(id -g)"`)
	said := strings.Join(strings.Fields(before), " ")
	if !found || !strings.Contains(said, "as a user who is not root") {
		t.Errorf("whoever deploys as root gets a container of root's:\n%s", before)
	}
}
