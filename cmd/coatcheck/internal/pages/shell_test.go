package pages_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session/cmd/coatcheck/internal/pages"
)

// A command is one of coatcheck as it stands in a page.
type command struct {
	page string
	line int
	env  []string
	args []string
}

var (
	// A command stands at the beginning, or after what the shell has between two of them.
	coatcheck = regexp.MustCompile(
		`(?:^|[|;&(]\s*)((?:[A-Z_]+=\S+ )*)(?:coatcheck|go run \./cmd/coatcheck) ([a-z-][^|;&)#\n]*)`)
	span    = regexp.MustCompile("`(coatcheck [^`]+)`")
	getting = regexp.MustCompile(`(?m)^go get (\S+)@`)
	target  = regexp.MustCompile(`(?m)^make ([a-z-]+)`)
	targets = regexp.MustCompile(`(?m)^([a-z-]+):.*##`)
	isGroup = regexp.MustCompile(`(?m)^  (coatcheck.*) \[command\]$`)
)

// notRun are the commands that a page shows and that have nothing to do here: they are asked for their help instead.
var notRun = []string{
	"demo", "bench", "session watch", // they serve, measure or wait
	"session show", "session revoke", // they name a session
	"session copy",                 // it needs a second store
	"db rollback",                  // it asks on a terminal
	"--config", "COATCHECK_CONFIG", // they name a file that is not here
	"SESSION_STORES__DATABASE__CONN",  // likewise a connection
	"completion", "--file secret.txt", // tried by their own tests
	"--file /", // nothing outside the folder of the test is written
}

func commandsIn(page string, line int, text string) []command {
	var found []command
	for l := range strings.Lines(text) {
		for _, m := range coatcheck.FindAllStringSubmatch(strings.TrimSpace(l), -1) {
			args := strings.Fields(strings.NewReplacer(`"`, "", `'`, "").Replace(m[2]))
			found = append(found, command{page, line, strings.Fields(m[1]), args})
		}
		line++
	}
	return found
}

// commandsOf returns those of the blocks, or those within the sentences, of all pages.
func commandsOf(t *testing.T) (blocks, sentences []command) {
	t.Helper()
	for page, text := range pagesOf(t) {
		for _, b := range blocksOf(page, text) {
			if b.lang == "" || b.lang == "sh" {
				blocks = append(blocks, commandsIn(page, b.line, b.text)...)
			}
		}
		for i, l := range strings.Split(text, "\n") {
			for _, m := range span.FindAllStringSubmatch(l, -1) {
				sentences = append(sentences, commandsIn(page, i+1, m[1])...)
			}
		}
	}
	return blocks, sentences
}

var folder string // of the program, for as long as the tests run

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "coatcheck-pages-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// built makes the command line from the tree, once.
var built = sync.OnceValues(func() (program string, err error) {
	program = filepath.Join(folder, "coatcheck.exe")
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Dir, cmd.Env = filepath.Join("..", ".."), append(os.Environ(), pages.GoEnv("")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return program, err
})

func build(t *testing.T) string {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// knows asks for the help of a command, with its flags. The words of the command must be those that the help names.
func knows(program string, c command) error {
	words := c.args
	if i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "-") }); i >= 0 {
		words = words[:i]
	}
	out, err := exec.Command(program, append(slices.Clone(c.args), "--help")...).CombinedOutput()
	if err != nil {
		return errors.New(string(out))
	}
	// A command that has others below it says so, and shows its help whatever the next word is.
	if group := isGroup.FindSubmatch(out); group != nil && len(words) > bytes.Count(group[1], []byte(" ")) {
		return errors.New("there is no such command")
	}
	return nil
}

// run does what a newcomer does with a command: in a folder that init and db migrate have made ready, unless it is init
// itself. The exit code 3 says that a command found something.
func run(t *testing.T, program string, c command) {
	t.Helper()
	dir := t.TempDir()
	steps := []command{{args: []string{"init"}}, {args: []string{"db", "migrate"}}, c}
	if c.args[0] == "init" {
		steps = steps[2:]
	}
	for _, step := range steps {
		cmd := exec.CommandContext(t.Context(), program, step.args...)
		cmd.Dir, cmd.Env = dir, append(slices.DeleteFunc(os.Environ(), configures), step.env...)
		cmd.Stdin = strings.NewReader("yes\n")
		out, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState.ExitCode() != 3 {
			t.Errorf("%s:%d: coatcheck %q: %v\n%s", c.page, c.line, step.args, err, out)
			return
		}
	}
}

// configures reports whether a variable would choose another store than that of the new site.
func configures(variable string) bool { return strings.HasPrefix(variable, "SESSION_") }

// isRun reports whether the list of what is not run has no word of the command.
func isRun(c command) bool {
	line := " " + strings.Join(append(slices.Clone(c.env), c.args...), " ")
	return !slices.ContainsFunc(notRun, func(words string) bool { return strings.Contains(line, " "+words) })
}

func TestTheCommandsOfThePagesRun(t *testing.T) {
	program := build(t)
	blocks, sentences := commandsOf(t)
	if len(blocks) < 20 || len(sentences) < 20 {
		t.Fatalf("found %d commands in blocks and %d in sentences, want more", len(blocks), len(sentences))
	}
	seen := map[string]bool{}
	for _, c := range append(sentences, blocks...) {
		if err := knows(program, c); err != nil {
			t.Errorf("%s:%d: coatcheck %q: %v", c.page, c.line, c.args, err)
		}
	}
	for _, c := range blocks {
		line := strings.Join(append(slices.Clone(c.env), c.args...), " ")
		if !seen[line] && isRun(c) {
			run(t, program, c)
		}
		seen[line] = true
	}
}

func TestACommandThatIsWrongIsFound(t *testing.T) {
	program := build(t)
	for _, line := range []string{"coatcheck sesion list", "coatcheck session lst", "coatcheck session list --usr ada",
		"SESSION_STORE=file coatcheck doctor --all", "x && coatcheck nothing | cat"} {
		found := commandsIn("p.md", 1, line+"\n")
		if len(found) != 1 || knows(program, found[0]) == nil {
			t.Errorf("%q gives %v, want one command that does not exist", line, found)
		}
	}
	for _, line := range []string{"coatcheck session list --user ada", "coatcheck"} {
		for _, c := range commandsIn("p.md", 1, line+"\n") {
			if err := knows(program, c); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
	}
}

// TestTheShellOfThePagesIsShell has bash read each block, and looks for the targets of make.
func TestTheShellOfThePagesIsShell(t *testing.T) {
	makefile := read(t, filepath.Join(repository, "Makefile"))
	var known []string
	for _, m := range targets.FindAllStringSubmatch(makefile, -1) {
		known = append(known, m[1])
	}
	for _, b := range allBlocks(t, "sh", "") {
		for _, m := range target.FindAllStringSubmatch(b.text, -1) {
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s:%d: there is no make %s", b.page, b.line, m[1])
			}
		}
		if b.lang == "" {
			continue
		}
		cmd := exec.Command("bash", "-n")
		cmd.Stdin = strings.NewReader(b.text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s:%d: %s", b.page, b.line, out)
		}
	}
}

// TestAPageGetsWhatItsProgramImports: go get of a module that is no package leaves out what its packages need.
func TestAPageGetsWhatItsProgramImports(t *testing.T) {
	n := 0
	for page, text := range pagesOf(t) {
		if !strings.Contains(text, "\npackage main\n") {
			continue
		}
		for _, m := range getting.FindAllStringSubmatch(text, -1) {
			n++
			if !strings.Contains(text, `"`+m[1]+`"`) {
				t.Errorf("%s gets %s, and its program imports no such package", page, m[1])
			}
		}
	}
	if n < 5 {
		t.Errorf("found %d commands that get something, want those of the stores too", n)
	}
}
