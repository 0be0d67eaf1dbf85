package importlaw

import (
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// reasons says of each thing that library code never does why it does not.
var reasons = map[string]string{
	"math/rand": "its numbers can be guessed by default; take crypto/rand, or math/rand/v2 for jitter",
	"uuid":      "an id is 32 random bytes, and a UUID has fewer and is made for something else",
	"clock":     "time comes from the manager's clock, or tests must sleep and a store decides what has expired",
	"print":     "the output of a program is its own; return an error or emit an event",
	"log":       "the program chooses where messages go: Options.Logger",
	"panic":     "a request must not end the program; return an error",
	"compare":   "the time that it takes tells how much of a guess was right; hmac.Equal takes the same time always",
}

// exceptions are the places where library code does it nevertheless, and why that is right: "what folder.function",
// with session for the root folder.
// An exception that is no longer used fails the test too.
var exceptions = map[string]string{
	"clock redisstore.now": "how long a cached record may be older than a write of this process; it " +
		"judges no record",
	"clock session.Options.withDefaults": "the manager's clock where the program names none",
	"clock adapters/otel.now":            "how long calls and commits take; it judges no record",
	"clock internal/bounded.now":         "how long a call to a store may take; it judges no record",
	"clock devicebound/conformance.env.client": "when the cookies of a server elsewhere end, of which only this " +
		"clock is known",
	"compare filestore.checkHeader":    "a checksum without a key, which finds torn files",
	"compare filestore.readSlot":       "a checksum without a key, which finds torn files",
	"panic internal/keys.newKey":       "AES takes keys of 32 bytes, and GCM takes AES",
	"panic internal/life.fall.again":   "it was a panic before, of the store, and is none of ours",
	"panic internal/keys.derive":       "HKDF fails only for sizes that nobody asks of it",
	"panic session.exchange.endAbort":  "it was a panic before, of the handler, and is none of ours",
	"panic internal/sealed.NewKey":     "a key of another length is a wrong program, and AES takes 32 bytes",
	"panic internal/sealed.Key.derive": "AES takes keys of 32 bytes, and GCM takes AES",
}

// exempt reports whether a folder is no library code: programs, and what only tests run.
func exempt(dir string) bool {
	return within(dir, "cmd") || within(dir, "examples") || within(dir, "internal/tools") ||
		within(dir, "internal/importlaw") || unreleased(dir)
}

// An offence is one thing that library code does not do.
type offence struct {
	what string // a key of reasons
	dir  string // slashed, relative to the repository
	in   string // the function, "Type.Method", or "" in a declaration
	pos  token.Position
	text string
}

// key is how exceptions name it.
func (o offence) key() string {
	dir := o.dir
	if dir == "." {
		dir = "session"
	}
	return o.what + " " + dir + "." + o.in
}

// libraryOffences parses every file of library code, of every platform, and returns what it finds.
func libraryOffences(t *testing.T) []offence {
	t.Helper()
	var found []offence
	fset := token.NewFileSet()
	eachText(t, func(name, text string) {
		if dir := path.Dir(name); !exempt(dir) && !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, offences(fset, dir, file)...)
		}
	}, ".go")
	return found
}

// No MAC is compared in a time that tells something, and no id or token comes from numbers that can be guessed.
func TestLibraryCode(t *testing.T) {
	used := make(map[string]bool)
	for _, o := range libraryOffences(t) {
		if _, ok := exceptions[o.key()]; ok {
			used[o.key()] = true
			continue
		}
		t.Errorf("%s: %s, but %s. If it is right here, say why in exceptions under %q", o.pos, o.text, reasons[o.what],
			o.key())
	}
	for _, key := range slices.Sorted(maps.Keys(exceptions)) {
		if !used[key] {
			t.Errorf("the exception %q is not needed any more: remove it", key)
		}
	}
}

// TestLibraryCodeCatches shows the lint what it is there for.
func TestLibraryCodeCatches(t *testing.T) {
	for _, tt := range []struct {
		imports, body string
		want          []string
	}{
		{`"math/rand"`, ``, []string{"math/rand x."}},
		{`"math/rand/v2"`, ``, nil},
		{`"github.com/google/uuid"`, ``, []string{"uuid x."}},
		{`guid "github.com/gofrs/uuid/v5"`, ``, []string{"uuid x."}},
		{`"log"`, ``, []string{"log x."}},
		{`"log/slog"`, ``, nil},
		{`"time"`, `func f() time.Time { return time.Now() }`, []string{"clock x.f"}},
		{`"time"`, `var now = time.Now`, []string{"clock x."}},
		{`clock "time"`, `func (s *S[T]) M() { clock.Since(s.t) }`, []string{"clock x.S.M"}},
		{`"time"`, `func f(t time.Time) time.Time { return t.Add(time.Second) }`, nil},
		{`"fmt"`, `func f() { fmt.Println("x"); fmt.Printf("y") }`, []string{"print x.f", "print x.f"}},
		{`"fmt"`, `func f() string { return fmt.Sprint("x") }`, nil},
		{`. "fmt"`, ``, []string{"print x."}},
		{`"os"`, `func f() { println("x") }`, []string{"print x.f"}},
		{`"os"`, `func f() { func() { panic("x") }() }`, []string{"panic x.f"}},
		{`"os"`, `func f(s S) { s.panic() }`, nil},
		{`"bytes"`, `func f(mac, b []byte) bool { return bytes.Equal(b, mac[:4]) }`, []string{"compare x.f"}},
		{`"os"`, `func f(s S, mac [32]byte) bool { return s.sum == mac || s.signature != mac }`,
			[]string{"compare x.f", "compare x.f"}},
		{`"crypto/hmac"`, `func f(mac, b []byte) bool { return mac != nil && hmac.Equal(b, mac) }`, nil},
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "x.go", fmt.Sprintf("package x\nimport %s\n%s\n", tt.imports, tt.body), 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range offences(fset, "x", file) {
			got = append(got, o.key())
			if reasons[o.what] == "" {
				t.Errorf("%q has no reason", o.what)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("offences(import %s; %s) = %s, want %s", tt.imports, tt.body, quoted(got), quoted(tt.want))
		}
	}
}
