//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// newModule is a folder with the code of testdata/module, under the name of the module that the command is made for.
func newModule(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(filepath.Join("testdata", "module"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module "+module+"\n\ngo 1.25\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

// cache is the cache of this test's own builds: to compile the standard library for each run would take minutes.
func cache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func run(t *testing.T, o options, accepted map[string]string) (unnoticed int, out string) {
	t.Helper()
	var text strings.Builder
	o.mutated, o.tested, o.procs, o.out = []string{".", "other"}, []target{{folder: "."}, {folder: "other"}}, 2, &text
	o.cache = cache(t)
	unnoticed, err := try(t.Context(), o, accepted)
	if err != nil {
		t.Fatal(err)
	}
	return unnoticed, text.String()
}

func TestWhatTestsNoticeIsKilledAndTheRestIsListed(t *testing.T) {
	root := newModule(t)
	unnoticed, out := run(t, options{root: root, match: "Sign|Half|Unchecked|Forgotten"}, map[string]string{
		"forms.go: Half: half += constant - 1: left out": "it adds nothing",
	})
	for _, line := range []string{
		"killed by TestSign: forms.go: Sign: if n < 0: never\n",
		"killed by TestSign: forms.go: Sign: if n < 0: always\n",
		"killed by TestSign: forms.go: Sign: n < 0: <= instead\n",
		"killed by TestSign: forms.go: Sign: n > 100: >= instead\n",
		"killed by TestSign: forms.go: Sign: n == 0 || n > 100: && instead\n",
		"killed by TestSign: forms.go: Sign: 1 in return 1: 0 instead\n",
		"killed by TestHalf: forms.go: Half: return 0, errOdd: without the error\n",
		"SURVIVED: forms.go: Unchecked: out = append(out, 0): left out (line 74)\n",
		"NOT REACHED: forms.go: Forgotten: false in return false: the opposite (line 71)\n",
		"SURVIVED: forms.go: Half: half += constant - 1: left out (line 34)\n\tit adds nothing\n",
		"set aside, for it fails with no mutant in force: TestThatFails in .\n",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("the output lacks %q", line)
		}
	}
	if unnoticed != 5 || !strings.HasSuffix(out, "== 22 mutants: 16 killed, 6 survived (1 of them explained)\n") {
		t.Errorf("%d are said to be unnoticed, want 5", unnoticed)
	}
	if t.Failed() {
		t.Log(out)
	}
}

func TestTheFilesOfTheRepositoryAreNotTouched(t *testing.T) {
	root := newModule(t)
	run(t, options{root: root, match: "Forgotten"}, nil)
	for _, name := range []string{"forms.go", "forms_test.go"} {
		before, err := os.ReadFile(filepath.Join("testdata", "module", name))
		if err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || string(before) != string(after) {
			t.Errorf("%s is not what it was: %v", name, err)
		}
	}
	names, err := filepath.Glob(filepath.Join(root, "*"))
	if want := 5; err != nil || len(names) != want {
		t.Errorf("the folder holds %q, %v; want its %d", names, err, want)
	}
}

func TestNothingIsLeftOfARunButWhatItsTestsReach(t *testing.T) {
	root := newModule(t)
	run(t, options{root: root, packages: "other"}, nil)
	if left := names(t, filepath.Join(root, "out", "mutants")); !slices.Equal(left, []string{"reach.json"}) {
		t.Errorf("the run leaves %q, want what its tests reach", left)
	}
}

func names(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestOtherPackagesAreNeitherChangedNorTested(t *testing.T) {
	elsewhere := map[string]string{"forms.go: Gone: if x: never": "it is not looked for"}
	unnoticed, out := run(t, options{root: newModule(t), packages: "other"}, elsewhere)
	for _, line := range []string{
		"== building the tests of 1 packages with 1 mutants\n",
		"1/1 killed by TestDouble: other/other.go: Double: n + n: - instead\n",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("the output lacks %q:\n%s", line, out)
		}
	}
	if unnoticed != 0 || strings.Contains(out, "forms.go") || strings.Contains(out, "TestThatFails") {
		t.Errorf("%d lines to look at, want none, and nothing of the root:\n%s", unnoticed, out)
	}
}

func TestAPackageWithoutMutantsIsNamed(t *testing.T) {
	for _, packages := range []string{"othr", "other,", "./other"} {
		o := options{root: newModule(t), mutated: []string{".", "other"}, packages: packages, out: io.Discard}
		if _, err := try(t.Context(), o, nil); err == nil || !strings.Contains(err.Error(), "choose from .,other") {
			t.Errorf("PACKAGES=%s: %v, want an error that names the packages", packages, err)
		}
	}
}

func TestAnInterruptEndsWhatRunsAndRemovesWhatWasBuilt(t *testing.T) {
	root := newModule(t)
	const waits = `package other

import (
	"os"
	"testing"
)

func TestThatWaits(t *testing.T) {
	if err := os.WriteFile(os.Getenv("COATCHECK_WAITS"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	select {}
}
`
	if err := os.WriteFile(filepath.Join(root, "other", "waits_test.go"), []byte(waits), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "waits")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COATCHECK_WAITS", pipe)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		if _, err := os.ReadFile(pipe); err != nil { // it is there once the test waits
			t.Error(err)
		}
		interrupt()
	}()
	o := options{root: root, mutated: []string{"other"}, tested: []target{{folder: "other"}}, procs: 1,
		cache: cache(t), out: io.Discard}
	if _, err := try(ctx, o, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted run ends with %v, want %v", err, context.Canceled)
	}
	if left := names(t, filepath.Join(root, "out", "mutants")); left != nil {
		t.Errorf("an interrupted run leaves %q", left)
	}
}

func TestASeedRepeatsItsSample(t *testing.T) {
	root := newModule(t)
	list := func(seed uint64) []string {
		_, out := run(t, options{root: root, sample: 9, seed: seed, list: true}, nil)
		return strings.Split(strings.TrimSpace(out), "\n")
	}
	first := list(1)
	if len(first) != 9 {
		t.Errorf("%d mutants were drawn, want 9", len(first))
	}
	if again := list(1); !slices.Equal(first, again) {
		t.Errorf("seed 1 draws %q, then %q", first, again)
	}
	if other := list(2); slices.Equal(first, other) {
		t.Errorf("seeds 1 and 2 draw the same: %q", other)
	}
}

func TestAnExplanationOfWhatIsNoMutantIsCounted(t *testing.T) {
	o := options{root: newModule(t), match: "^none$"}
	unnoticed, out := run(t, o, map[string]string{"forms.go: Gone: if x: never": "why"})
	if unnoticed != 1 || !strings.Contains(out, "take it out of accepted.txt: forms.go: Gone: if x: never\n") {
		t.Errorf("%d lines to look at, want the explanation:\n%s", unnoticed, out)
	}
}

func TestAcceptedMutantsHaveAReason(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		ok         bool
	}{
		{"a reason over two lines", "# why\n\na: b: c\n\tit is\n\tthe same\n", true},
		{"no reason", "a: b: c\nd: e: f\n\twhy\n", false},
		{"a reason for nothing", "\twhy\n", false},
		{"one name twice", "a\n\twhy\na\n\twhy\n", false},
	} {
		accepted, err := parseAccepted(strings.NewReader(tt.text))
		if (err == nil) != tt.ok {
			t.Errorf("%s: parseAccepted = %q, %v", tt.name, accepted, err)
		}
		if tt.ok && accepted["a: b: c"] != "it is the same" {
			t.Errorf("%s: parseAccepted = %q", tt.name, accepted)
		}
	}
}
