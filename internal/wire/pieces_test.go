package wire_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/wire"
)

// jar is what a browser keeps: a value for each name, and nothing where it was told to forget.
type jar map[string]string

func (j jar) put(name, value string) {
	if j[name] = value; value == "" {
		delete(j, name)
	}
}

// lines are the Cookie headers that the browser sends. The order of cookies is its own affair.
func (j jar) lines() []string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(j)) {
		parts = append(parts, name+"="+j[name])
	}
	slices.Reverse(parts)
	return []string{"other=1; " + strings.Join(parts, "; ")}
}

func token(n int) string { return strings.Repeat("x", n) }

// Whatever was sent before, what a browser has is the last token and nothing else, and no cookie is more than it keeps.
func TestATokenComesBackFromItsPieces(t *testing.T) {
	const name = "__Host-session"
	for most := 1; most <= wire.MaxPieces; most++ {
		p, random := wire.NewPieces(name, most), rand.New(rand.NewPCG(1, uint64(most)))
		one := wire.MaxCookieSize - len(name)
		sizes := []int{1, one - 1, one, min(one+1, p.Room()), p.Room() - 1, p.Room(), 0}
		browser := jar{}
		for range 200 {
			sent := token(sizes[random.IntN(len(sizes))])
			p.Write(browser.lines(), sent, browser.put)
			if got, ok := p.Read(browser.lines()); got != sent || !ok {
				t.Fatalf("of %d cookies at most: %d bytes came back as %d, %v", most, len(sent), len(got), ok)
			}
			if sent == "" && len(browser) > 0 || len(browser) > most {
				t.Fatalf("of %d cookies at most: %d for %d bytes", most, len(browser), len(sent))
			}
			kept := 0
			for name, value := range browser {
				kept += len(value)
				if n := len(name) + len(value); n > wire.MaxCookieSize {
					t.Fatalf("%s has %d bytes, and browsers keep %d", name, n, wire.MaxCookieSize)
				}
			}
			if count := len("2."); kept != len(sent) && (len(browser) < 2 || kept != count+len(sent)) {
				t.Fatalf("of %d cookies at most: %d bytes are kept of %d", most, kept, len(sent))
			}
		}
	}
}

func TestTheLongestTokenFillsItsCookies(t *testing.T) {
	for most := range wire.MaxPieces + 1 {
		p, browser := wire.NewPieces("__Host-session", most), jar{}
		p.Write(nil, token(p.Room()), browser.put)
		for name, value := range browser {
			if n := len(name) + len(value); n != wire.MaxCookieSize || len(browser) != max(most, 1) {
				t.Errorf("of %d cookies at most: %d, and %s has %d bytes", most, len(browser), name, n)
			}
		}
	}
}

// A browser may have forgotten some of the pieces, in whatever order.
func TestWhatIsLeftOfALongerTokenIsRemoved(t *testing.T) {
	browser := jar{"s": "3.a", "s.2": "c"}
	wire.NewPieces("s", 3).Write(browser.lines(), "e1.x", browser.put)
	if !maps.Equal(browser, jar{"s": "e1.x"}) {
		t.Errorf("the browser keeps %v, want the token alone", browser)
	}
}

func TestPiecesThatDoNotBelongTogetherAreNoToken(t *testing.T) {
	for name, line := range map[string]string{
		"the first twice":     "s=2.a; s.1=b; s=2.a",
		"one is missing":      "s=3.a; s.1=b",
		"one came twice":      "s=2.a; s.1=b; s.1=b",
		"more than may be":    "s=4.a; s.1=b; s.2=c; s.3=d",
		"more than there are": "s=9.a",
		"none":                "s=0.a",
		"one alone":           "s=1.a",
		"no count":            "s=2a; s.1=b",
		"two digits":          "s=12.a; s.1=b",
		"a piece is too long": "s=2.a; s.1=" + token(wire.MaxCookieSize),
	} {
		if got, ok := wire.NewPieces("s", 3).Read([]string{line}); ok || got != "" {
			t.Errorf("%s: Read = %q, %v, want none", name, got, ok)
		}
	}
	if got, ok := wire.NewPieces("s", 3).Read([]string{"s.2=c; s=3.a", "s.1=b"}); got != "abc" || !ok {
		t.Errorf("pieces in another order and in two headers are %q, %v, want abc", got, ok)
	}
}

// A ticket is never cut, and may begin as it likes.
func TestWhatIsNeverCutIsOneCookie(t *testing.T) {
	p := wire.NewPieces("s", 0)
	if got, ok := p.Read([]string{"s=2.a; s.1=b"}); got != "2.a" || !ok || !p.IsOne() {
		t.Errorf("Read = %q, %v, want the cookie as it is", got, ok)
	}
	browser := jar{"s": "2.a", "s.1": "b"}
	if p.Write(browser.lines(), "", browser.put); !maps.Equal(browser, jar{"s.1": "b"}) {
		t.Errorf("the browser keeps %v, want the cookie that is not ours", browser)
	}
	if names := p.Named("old").Names(); !slices.Equal(names, []string{"old"}) {
		t.Errorf("Names = %q, want one", names)
	}
	if names := wire.NewPieces("s", 2).Named("old").Names(); len(names) != wire.MaxPieces || names[7] != "old.7" {
		t.Errorf("Names = %q, want %d", names, wire.MaxPieces)
	}
}

// Another response may have set pieces since the request was sent: they go too when the session ends.
func TestTheEndOfASessionRemovesWhatItDidNotSee(t *testing.T) {
	for sent, want := range map[string][]string{
		"":                     {"s", "s.1", "s.2"},
		"s=2.a; s.1=b":         {"s", "s.1", "s.2"},
		"s=2.a; s.1=b; s.6=zz": {"s", "s.1", "s.2", "s.6"}, // of a time when there could be more
	} {
		var removed []string
		wire.NewPieces("s", 3).Write([]string{sent}, "", func(name, _ string) { removed = append(removed, name) })
		if !slices.Equal(removed, want) {
			t.Errorf("after %q: %q, want %q removed", sent, removed, want)
		}
	}
}

func ExamplePieces() {
	browser := map[string]string{}
	show := func(name, value string) {
		fmt.Printf("%s: %d bytes\n", name, len(value))
		browser[name] = value
	}
	pieces := wire.NewPieces("session", 4)
	pieces.Write(nil, strings.Repeat("a", 5000), show)
	sent := []string{"session=" + browser["session"] + "; session.1=" + browser["session.1"]}
	token, ok := pieces.Read(sent)
	fmt.Println(len(token), ok, "after", browser["session"][:4])

	pieces.Write(sent, "a short one", show)
	// Output:
	// session: 4089 bytes
	// session.1: 913 bytes
	// 5000 true after 2.aa
	// session: 11 bytes
	// session.1: 0 bytes
}
