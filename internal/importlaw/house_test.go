package importlaw

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the root and the floors below it may be like, so that whoever opens one finds a room and not a hall.
const (
	maxFiles = 26   // of the root
	maxCode  = 3200 // lines of the root that are neither comments nor empty
	maxLines = 300  // of a file
)

const (
	whyFiles = "the files of the root are its table of contents, and nobody reads a longer one: put the change where " +
		"its subject is, or what knows no request and no option on a floor below"
	whyCode  = "what knows no request and no option belongs on a floor below, where it is read and tested alone"
	whyLines = "a file is read whole: part it by subject"
	whyWord  = "where the records are is asked once, in New: what differs is for life.Records to say, or follows " +
		"from the Place that a draft is at"
	whyTests  = "a floor must be understood, and tested, without what stands on it"
	whyDoc    = "a package of several files says first what lives there and what does not"
	whyExport = "tests of the root are those of its promises, by what users see; test what is inside on its floor"
)

// carriedIn are the lines outside of internal/carried in which the word may stand: how many, and why.
var carriedIn = map[string]struct {
	n   int
	why string
}{
	"manager.go":            {2, "it imports the package, and chooses"},
	"internal/keys/ring.go": {1, "what a key was derived for cannot be renamed: nothing that it sealed would open"},
}

var carriedWord = regexp.MustCompile(`(?i)\bcarried`)

// onFloor reports whether a file belongs to the root or a floor below it.
func onFloor(name string) bool { return floorOf(path.Dir(name)) >= 0 }

func isTest(name string) bool { return strings.HasSuffix(name, "_test.go") }

// codeLines returns the lines of a file that are neither comments nor empty.
func codeLines(text string) (lines []string) {
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "//") {
			lines = append(lines, l)
		}
	}
	return lines
}

// house returns one sentence for each thing that is not as the root and its floors are to be. files are Go files by
// name.
func house(files map[string]string) []string {
	return slices.Concat(roomOfRoot(files), longFiles(files), askedElsewhere(files), furniture(files))
}

// roomOfRoot finds a root that is too large.
func roomOfRoot(files map[string]string) (broken []string) {
	count, code := 0, 0
	for name, text := range files {
		if path.Dir(name) == "." && !isTest(name) {
			count++
			code += len(codeLines(text))
		}
	}
	if count > maxFiles {
		broken = append(broken, fmt.Sprintf("the root has %d files, more than %d, but %s", count, maxFiles, whyFiles))
	}
	if code > maxCode {
		broken = append(broken, fmt.Sprintf("the root has %d lines of code, more than %d, but %s", code, maxCode,
			whyCode))
	}
	return broken
}

// longFiles finds files of the root and its floors that are too long.
func longFiles(files map[string]string) (broken []string) {
	for name, text := range files {
		if n := strings.Count(text, "\n"); onFloor(name) && !isTest(name) && n > maxLines {
			broken = append(broken, fmt.Sprintf("%s has %d lines, more than %d, but %s", name, n, maxLines, whyLines))
		}
	}
	return broken
}

// askedElsewhere finds code that knows where the records are.
func askedElsewhere(files map[string]string) (broken []string) {
	for name, text := range files {
		if !onFloor(name) || isTest(name) || path.Dir(name) == "internal/carried" {
			continue
		}
		found := slices.DeleteFunc(codeLines(text), func(l string) bool { return !carriedWord.MatchString(l) })
		if len(found) > carriedIn[name].n {
			broken = append(broken, fmt.Sprintf("%s says carried in %q, but %s", name, found, whyWord))
		}
	}
	return broken
}

// furniture finds floors without a doc.go or tests of their own, tests that need a higher floor, and an export_test.go
// in the root.
func furniture(files map[string]string) (broken []string) {
	own, docs, tests := map[string]int{}, map[string]bool{}, map[string]bool{}
	for name, text := range files {
		dir := path.Dir(name)
		switch {
		case name == "export_test.go":
			broken = append(broken, "the root has an export_test.go, but "+whyExport)
		case !onFloor(name) || dir == ".":
		case isTest(name):
			tests[dir] = true
			if strings.Contains(text, `"`+module+`"`) {
				broken = append(broken, name+" imports the root, but "+whyTests)
			}
		default:
			own[dir]++
			docs[dir] = docs[dir] || path.Base(name) == "doc.go"
		}
	}
	for dir, n := range own {
		if !tests[dir] {
			broken = append(broken, dir+" has no tests of its own, but "+whyTests)
		}
		if n > 1 && !docs[dir] {
			broken = append(broken, dir+" has no doc.go, but "+whyDoc)
		}
	}
	return broken
}

func TestTheHouseIsInOrder(t *testing.T) {
	files := map[string]string{}
	eachText(t, func(name, text string) { files[name] = text }, ".go")
	for _, sentence := range house(files) {
		t.Error(sentence)
	}
}

// Each law finds what is made up to break it, and lets the rest be.
func TestTheHouseCatches(t *testing.T) {
	tidy := map[string]string{
		"manager.go":                  "import \"internal/carried\"\nr := carried.New()\n// carried is a word.\n",
		"manager_test.go":             strings.Repeat("carried()\n", 400),
		"export.go":                   "",
		"internal/life/doc.go":        "",
		"internal/life/life.go":       strings.Repeat("x\n", maxLines),
		"internal/life/life_test.go":  "import \"" + module + "/internal/keys\"\n",
		"internal/carried/carried.go": "package carried\n",
		"internal/carried/c_test.go":  "",
		"guard/long.go":               strings.Repeat("carried\n", 400),
	}
	if broken := house(tidy); len(broken) > 0 {
		t.Errorf("house(tidy) = %s, want nothing", quoted(broken))
	}
	many, large := map[string]string{}, map[string]string{}
	for i := range 25 {
		many[fmt.Sprintf("x%d.go", i)] = ""
		large[fmt.Sprintf("x%d.go", i%20)] = strings.Repeat("x()\n", 161)
	}
	for _, tt := range []struct {
		added map[string]string
		want  string // what the sentence begins with
	}{
		{many, "the root has 27 files"},
		{large, "the root has 3222 lines of code"},
		{map[string]string{"internal/data/x.go": strings.Repeat("// x\n", 301), "internal/data/x_test.go": ""},
			"internal/data/x.go has 301 lines"},
		{map[string]string{"save.go": "if m.carried != nil {\n"}, "save.go says carried"},
		{map[string]string{"manager.go": strings.Repeat("Carried()\n", 3)}, "manager.go says carried"},
		{map[string]string{"internal/life/move.go": "if carriedToo {\n"}, "internal/life/move.go says carried"},
		{map[string]string{"internal/wire/wire.go": ""}, "internal/wire has no tests"},
		{map[string]string{"internal/wire/a.go": "", "internal/wire/b.go": "", "internal/wire/a_test.go": ""},
			"internal/wire has no doc.go"},
		{map[string]string{"internal/life/top_test.go": "import \"" + module + "\"\n"},
			"internal/life/top_test.go imports the root"},
		{map[string]string{"export_test.go": ""}, "the root has an export_test.go"},
	} {
		files := maps.Clone(tidy)
		maps.Copy(files, tt.added)
		broken := house(files)
		if len(broken) != 1 || !strings.HasPrefix(broken[0], tt.want) {
			t.Errorf("house(with %v) = %s, want one sentence: %s …", slices.Sorted(maps.Keys(tt.added)), quoted(broken),
				tt.want)
		}
	}
}
