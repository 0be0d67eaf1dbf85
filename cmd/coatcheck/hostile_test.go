package main

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"net/netip"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// hostile is what a visitor may have put into a record, and what people may be called.
func hostile(n int) iter.Seq2[session.Info, error] {
	agents := []string{
		"\x1b]0;owned\x07\x1b[2J\x1b[31m Firefox/1 Linux", "\u202eevil\u2066\u200f", strings.Repeat("𝔸", 60),
		"Mozilla/5.0 (Macintosh) Chrome/1 \xff\xfe", "a\tb\nc\r\nd", "",
	}
	users := []string{"ada", "", strings.Repeat("名", 85), "\u202euser", strings.Repeat("é", 127)}
	return func(yield func(session.Info, error) bool) {
		for i := range n {
			info := session.Info{ID: fmt.Sprintf("%064x", uint64(i)*0x9E3779B97F4A7C15), User: users[i%len(users)],
				UserAgent: agents[i%len(agents)], CreatedAt: noon.Add(-time.Hour),
				SeenAt:   noon.Add(-time.Duration(i) * time.Minute),
				RemoteIP: netip.MustParseAddr("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")}
			if i%2 == 0 {
				info.ExpiresAt = noon.Add(time.Duration(i) * time.Hour)
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func TestTenThousandHostileSessionsFitTheTerminal(t *testing.T) {
	for columns, n := range map[int]int{20: 300, 60: 300, 80: 10_000, 0: 3000} {
		var b bytes.Buffer
		printer := output.Printer{Out: &output.Screen{Writer: &b, Columns: columns}}
		if err := writeList(&tool{Printer: printer}, hostile(n), noon); err != nil {
			t.Fatal(err)
		}
		rows := 0
		for line := range strings.SplitSeq(escapes.ReplaceAllString(b.String(), ""), "\n") {
			rows++
			if wide := text.StringWidthWithoutEscSequences(line); columns >= 60 && wide > columns {
				t.Fatalf("on %d columns a line has %d: %q", columns, wide, line)
			}
			if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Fatalf("on %d columns a line has %q: %q", columns, line[i:min(len(line), i+4)], line)
			}
		}
		if want := n + 3; (columns == 80 || columns == 0) && rows != want { // with a head, the sum and the end
			t.Errorf("on %d columns there are %d lines, want %d", columns, rows, want)
		}
	}
}

// several is a site with sessions whose ids begin with "abcd".
func several(t *testing.T, n int) *site {
	t.Helper()
	store := memstore.New(memstore.Options{})
	for i := range n {
		rec := &session.Record{ID: fmt.Sprintf("abcd%060x", i), Kind: session.KindLive, User: "ada\u202e",
			CreatedAt: noon, SeenAt: noon, ExpiresAt: noon.Add(time.Hour), UserAgent: "\x1b[2J Firefox/1 Linux"}
		if err := store.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()},
		SweepEvery: session.Never, Now: func() time.Time { return noon.Add(3 * time.Minute) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return &site{Manager: m, cfg: &sessionconfig.Config{Store: "memory"}, store: store}
}

func TestAnAmbiguousIDListsTheFirstOfThoseThatItMayBe(t *testing.T) {
	s := several(t, 5000)
	_, err := s.ids(t.Context(), []string{"ABCD"})
	if code(err) != exitUsage {
		t.Fatalf("the error is %v, want one of usage", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if lines[0] != `"abcd" matches 5000 sessions: give more of the id` ||
		lines[len(lines)-1] != "  and 4990 more" || len(lines) != candidates+2 {
		t.Errorf("the error is %q", err)
	}
	if want := "  abcd00000000  ada�  Firefox on Linux, seen 3 m ago"; lines[1] != want {
		t.Errorf("a candidate is %q, want %q", lines[1], want)
	}
	whole := fmt.Sprintf("abcd%060x", 4999)
	if ids, err := s.ids(t.Context(), []string{whole}); err != nil || len(ids) != 1 || ids[0] != whole {
		t.Errorf("a whole id is %q, %v", ids, err)
	}
}

func TestNothingEndsWhenOneOfSeveralIDsIsAmbiguous(t *testing.T) {
	s := several(t, 20)
	whole := fmt.Sprintf("abcd%060x", 7)
	if _, err := s.revoke(t.Context(), &tool{}, target{ids: []string{whole, "abcd"}}, true); code(err) != exitUsage {
		t.Errorf("the error is %v, want one of usage", err)
	}
	if _, err := s.store.Load(t.Context(), whole); err != nil {
		t.Errorf("the session that was named in full has ended: %v", err)
	}
}

func TestAQuestionSaysHowManySessionsOfWhom(t *testing.T) {
	for want, users := range map[string][]string{
		"1 session of ada":                               {"ada"},
		"2 sessions of ada�":                             {"ada\u202e", "ada\u202e"},
		"3 sessions of 2 users":                          {"ada", "bob", "ada"},
		"1 anonymous session":                            {""},
		"2 sessions of 2 users and 2 anonymous sessions": {"ada", "", "", "bob"},
	} {
		e := &extent{}
		for _, user := range users {
			e.add(user)
		}
		if e.String() != want {
			t.Errorf("sessions of %q are %q, want %q", users, e, want)
		}
	}
	const unread = "2 anonymous sessions and 1 session of unknown users"
	if e := (&extent{sessions: 3, unknown: 1, anonymous: 2}); e.String() != unread {
		t.Errorf("what cannot be read is %q", e)
	}
	s := several(t, 3)
	ids := []string{fmt.Sprintf("abcd%060x", 1), fmt.Sprintf("abcd%060x", 1), strings.Repeat("0", 64)}
	if e, err := s.extent(context.Background(), &tool{}, target{ids: ids}); err != nil || e.sessions != 1 {
		t.Errorf("one session named twice, and one that is not there, are %d, %v; want 1", e.sessions, err)
	}
}

func TestTheVersionNamesTheCommit(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.25.2", Main: debug.Module{Version: "v0.1.0"}}
	for want, settings := range map[string][]debug.BuildSetting{
		"v0.1.0 (go1.25.2)": nil,
		"v0.1.0 (commit 0123456789ab, go1.25.2)": {{Key: "vcs.revision", Value: "0123456789abcdef"},
			{Key: "vcs.modified", Value: "false"}},
		"v0.1.0 (commit 01, dirty, go1.25.2)": {{Key: "vcs.revision", Value: "01"},
			{Key: "vcs.modified", Value: "true"}},
	} {
		info.Settings = settings
		if got := builtFrom(info, true).String(); got != want {
			t.Errorf("the version is %q, want %q", got, want)
		}
	}
	if got := builtFrom(nil, false).String(); got != "(devel)" {
		t.Errorf("the version of a program without one is %q", got)
	}
}
