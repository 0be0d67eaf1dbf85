package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
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

func run(t *testing.T, o options, accepted map[string]string) (unnoticed int, out string) {
	t.Helper()
	var text strings.Builder
	o.mutated, o.tested, o.procs, o.out = []string{"."}, []target{{folder: "."}}, 2, &text
	unnoticed, err := try(o, accepted)
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
	if want := 4; err != nil || len(names) != want {
		t.Errorf("the folder holds %q, %v; want its %d", names, err, want)
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
