//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/integration/servers"
)

func TestMain(m *testing.M) {
	code := m.Run()
	servers.StopAll()
	os.Exit(code)
}

// A comparison is fair only if every library does what it is asked for.
func TestEveryLibraryKeepsASession(t *testing.T) {
	at, err := start()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries() {
		t.Run(l.String()+" on "+l.store, func(t *testing.T) {
			s, end, err := l.openIn(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := end(); err != nil {
					t.Error(err)
				}
			}()
			check(t, s)
		})
	}
}

func check(t *testing.T, s site) {
	ask := func(h handler, cookie string) (string, string) {
		t.Helper()
		body, next, err := s.on(h).ask(cookie)
		if err != nil {
			t.Fatal(err)
		}
		return body, next
	}
	_, cookie := ask(write, "")
	body, cookie := ask(write, cookie)
	if body != "2" {
		t.Errorf("the second write answers %q, want 2", body)
	}
	if body, _ := ask(read, ""); body != "0" {
		t.Errorf("a stranger reads %q, want 0", body)
	}
	s.on(write).repeat(cookie)() // a request that changes the session, if there is one on the server
	_, cookie = ask(login, cookie)
	if body, _ := ask(read, cookie); body != "1" {
		t.Errorf("after the login a read answers %q, want 1", body)
	}
	_, cookie = ask(logout, cookie)
	if body, _ := ask(read, cookie); body != "0" {
		t.Errorf("after the logout a read answers %q, want 0", body)
	}
	if _, large, err := s.on(fill).ask(""); err == nil {
		if body, _ := ask(read, large); body != "1" {
			t.Errorf("the large session reads %q, want 1", body)
		}
	}
}

func TestTheRequestThatIsRepeatedIsServed(t *testing.T) {
	s, end, err := libraries()[0].openIn(t.Context(), place{})
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	_, cookie, err := s.on(write).ask("")
	if err != nil {
		t.Fatal(err)
	}
	run := s.on(write).repeat(cookie)
	for range 3 {
		run()
	}
	if body, _, err := s.on(read).ask(cookie); body != "4" || err != nil {
		t.Errorf("after one write and three repeated ones a read answers %q, %v, want 4", body, err)
	}
}

func TestTheConductOfAMapThatIsWrittenBackWholeIsFound(t *testing.T) {
	for _, l := range libraries() {
		if l.store != inMemory {
			continue
		}
		c, err := judge(t.Context(), l, place{})
		if err != nil {
			t.Fatal(err)
		}
		if l.ours && (c.counted != 1 || c.keys != 1 || c.strangers != 0 || c.revived) {
			t.Errorf("%s: %+v, want that nothing is lost, left or revived", l, c)
		}
		if l.name == "scs" && (c.keys == 1 || !c.revived) {
			t.Errorf("%s: %+v, and what is known of it was not found", l, c)
		}
	}
}

func TestTheMeasuredPartOfThePageIsReplaced(t *testing.T) {
	page := "before\n" + beginMark + "old\n" + endMark + "after\n"
	got, err := replaced([]byte(page), "new\n")
	if want := "before\n" + beginMark + "new\n" + endMark + "after\n"; err != nil || string(got) != want {
		t.Errorf("replaced = %q, %v, want %q", got, err, want)
	}
	if _, err := replaced([]byte("no marks"), "new\n"); err == nil {
		t.Error("a page without marks was written")
	}
}

func TestTheReportNamesEveryLibraryAndAim(t *testing.T) {
	var raw bytes.Buffer
	r := &results{book: newBook(&raw, time.Millisecond), rounds: 1, trips: map[figure]cost{},
		conduct: map[figure]conduct{}}
	for _, l := range libraries() {
		for _, sc := range scenarios {
			f := figure{l.String(), l.store, sc.name}
			r.samples[f] = []sample{{ns: 100}, {ns: 3000}, {ns: 200}}
		}
	}
	r.keys = []curve{{"ours", []point{{1, 1}, {10, 2}}}}
	r.sessions, r.loads, r.lists, r.revokes = r.keys, r.keys, r.keys, r.keys
	dir := t.TempDir()
	page := filepath.Join(dir, "page.md")
	if err := os.WriteFile(page, []byte(beginMark+endMark), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.write(options{page: page, images: dir}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries() {
		if !strings.Contains(string(text), "| "+l.String()+" |") {
			t.Errorf("the page does not have %s", l)
		}
	}
	for _, target := range r.targets() {
		if !strings.Contains(string(text), target.what) {
			t.Errorf("the page does not have the aim %q", target.what)
		}
	}
	for _, c := range charts {
		svg, err := os.ReadFile(filepath.Join(dir, c.file))
		if err != nil || !bytes.Contains(svg, []byte(c.title)) {
			t.Errorf("%s does not show its title: %v", c.file, err)
		}
	}
}

// What every handler costs says nothing of a library.
func TestTheBareHandlerIsTakenOffBothSides(t *testing.T) {
	r := &results{book: newBook(new(bytes.Buffer), time.Millisecond)}
	r.samples[figure{bareHandler, "", "in the process"}] = []sample{{ns: 50, bytes: 300}}
	r.samples[figure{coatcheck, inMemory, "read"}] = []sample{{ns: 150, bytes: 1000}}
	r.samples[figure{"scs", inMemory, "read"}] = []sample{{ns: 550}}
	if got := r.faster(coatcheck, inMemory, "read", "scs"); got != 5 {
		t.Errorf("faster = %v, want 5: 500 beside 100", got)
	}
	for _, target := range r.targets() {
		if target.what == "memory, read: bytes allocated" && target.measured != 0.7 {
			t.Errorf("%s: %v KB, want 0.7", target.what, target.measured)
		}
	}
}

// Whoever has several stores is compared by the best of them.
func TestTheFastestStoreOfAnotherLibraryCounts(t *testing.T) {
	r := &results{book: newBook(new(bytes.Buffer), time.Millisecond)}
	took := func(library string, ns float64) {
		r.samples[figure{library, inPostgreSQL, "read"}] = []sample{{ns: ns}}
	}
	took(coatcheck, 100)
	took(coatcheck+", pgstore", 10)
	took("scs", 300)
	took("scs, pgxstore", 150)
	if got := r.faster(coatcheck, inPostgreSQL, "read"); got != 1.5 {
		t.Errorf("faster = %v, want 1.5: 150 of the other's pgxstore beside 100", got)
	}
	if got := r.faster(coatcheck, inPostgreSQL, "read", "gorilla"); got != 0 {
		t.Errorf("faster than a library that is not there = %v, want 0", got)
	}
}

// What the machine does while one is measured would otherwise be told as a difference between the two.
func TestThoseThatAreComparedTakeTurns(t *testing.T) {
	b := newBook(new(bytes.Buffer), 5*time.Millisecond)
	var order []string
	ran := func(name string) contender {
		return contender{figure{name, inMemory, "read"}, func() {
			if n := len(order); n == 0 || order[n-1] != name {
				order = append(order, name)
			}
		}}
	}
	b.compare([]contender{ran("a"), ran("b")})
	if len(order) < turns {
		t.Errorf("one followed the other %d times, want at least %d", len(order), turns)
	}
	for _, name := range []string{"a", "b"} {
		if n := len(b.samples[figure{name, inMemory, "read"}]); n != turns {
			t.Errorf("%s: %d samples, want %d", name, n, turns)
		}
	}
}

// What is drawn is of all sessions of the user, and of no others.
func TestTheSessionsOfAUserAreListedAndEnded(t *testing.T) {
	at, err := start()
	if err != nil {
		t.Fatal(err)
	}
	lists, revokes, err := byDevices(t.Context(), at, newBook(new(bytes.Buffer), time.Millisecond), 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(lists) != 6 || len(revokes) != 6 {
		t.Fatalf("%d and %d curves, want two libraries on three stores", len(lists), len(revokes))
	}
	for _, c := range append(lists, revokes...) {
		if len(c.points) != 2 || c.points[0].x != 10 || c.points[1].x != 100 || c.points[0].y <= 0 {
			t.Errorf("%s has the points %v, want one at 10 and one at 100", c.name, c.points)
		}
	}
}
