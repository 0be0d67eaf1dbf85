package session_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/internal/envelope"
)

const ownMark = session.Key[[]string](envelope.OwnPrefix + "x.y")

// ownSpellings lead to the library's own keys, or would if Path escaped them in another way.
var ownSpellings = map[string]string{
	"as it is":              "coatcheck:roles",
	"nested":                "coatcheck:x.y",
	"an element":            "coatcheck:roles.0",
	"the prefix alone":      "coatcheck:",
	"an escaped dot":        `coatcheck:x\.y`,
	"an escaped backslash":  `coatcheck:\\x`,
	"by Path":               session.Path("coatcheck:roles"),
	"by Path, nested":       session.Path("coatcheck:x", "y"),
	"by Path, with a dot":   session.Path("coatcheck:x.y"),
	"as Path escapes it":    `\coatcheck:roles`,
	"Path of what it gives": session.Path("coatcheck:rate:default"),
}

func ownSession(t *testing.T) *visitor {
	v := newRig(t).visitor()
	v.with(func(s *session.Session) {
		s.Login("ada")
		guard.Roles.Set(s, []string{"reader"})
		session.Key[map[string]int](envelope.OwnPrefix+"x").Set(s, map[string]int{"y": 1})
		session.Key[int](envelope.OwnPrefix+"flash").Flash(s, 1)
	})
	return v
}

func TestNoPathReadsTheLibrarysOwnKeys(t *testing.T) {
	for what, path := range ownSpellings {
		t.Run(what, func(t *testing.T) {
			ownSession(t).with(func(s *session.Session) {
				if got := s.Get(path); got != nil || s.Has(path) || s.GetOr(path, "none") != "none" {
					t.Errorf("Get(%q) = %v, Has = %v, want absent", path, got, s.Has(path))
				}
				if s.Err() != nil {
					t.Errorf("reading sets Err = %v", s.Err())
				}
			})
		})
	}
}

func TestNoPathWritesTheLibrarysOwnKeys(t *testing.T) {
	for what, path := range ownSpellings {
		for name, do := range map[string]func(*session.Session){
			"Set":     func(s *session.Session) { s.Set(path, []string{"admin"}) },
			"Append":  func(s *session.Session) { s.Append(path, "admin") },
			"Flash":   func(s *session.Session) { s.Flash(path, []string{"admin"}) },
			"Now":     func(s *session.Session) { s.Now(path, []string{"admin"}) },
			"Remove":  func(s *session.Session) { s.Remove("other", path) },
			"Reflash": func(s *session.Session) { s.Reflash("other", path) },
			"Pop": func(s *session.Session) {
				if got := s.Pop(path); got != nil {
					t.Errorf("Pop(%q) = %v, want nothing", path, got)
				}
			},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				v := ownSession(t)
				resp := v.with(func(s *session.Session) {
					do(s)
					if err := s.Err(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", path)) ||
						!strings.Contains(err.Error(), "own") {
						t.Errorf("Err = %v, want one that names %q", err, path)
					}
				})
				if resp.StatusCode != http.StatusInternalServerError {
					t.Errorf("status %d, want 500", resp.StatusCode)
				}
				v.with(func(s *session.Session) {
					if got := guard.Roles.Or(s, nil); !reflect.DeepEqual(got, []string{"reader"}) || len(s.All()) != 0 {
						t.Errorf("roles = %v, all %v, want reader alone", got, s.All())
					}
				})
			})
		}
	}
}

// A Key that a program makes of user input goes through Path like any other path.
func TestAKeyMadeByPathReachesNoOwnKey(t *testing.T) {
	k := session.Key[[]string](session.Path("coatcheck:roles"))
	for name, do := range map[string]func(*session.Session){
		"Set":    func(s *session.Session) { k.Set(s, []string{"admin"}) },
		"Append": func(s *session.Session) { session.Append(s, k, "admin") },
		"Flash":  func(s *session.Session) { k.Flash(s, []string{"admin"}) },
		"Update": func(s *session.Session) { k.Update(s, func([]string) []string { return []string{"admin"} }) },
		"Remove": func(s *session.Session) { k.Remove(s) },
		"Pop":    func(s *session.Session) { k.Pop(s) },
	} {
		t.Run(name, func(t *testing.T) {
			v := ownSession(t)
			v.with(func(s *session.Session) {
				if do(s); s.Err() == nil {
					t.Errorf("%s is not refused", name)
				}
				if _, err := k.Lookup(s); err == nil {
					t.Error("Lookup finds the roles")
				}
			})
			v.with(func(s *session.Session) {
				if got := guard.Roles.Or(s, nil); !reflect.DeepEqual(got, []string{"reader"}) {
					t.Errorf("roles = %v, want reader", got)
				}
			})
		})
	}
}

// What only looks like the prefix is a key like any other.
func TestKeysThatOnlyLookLikeTheLibrarysAreTheApplications(t *testing.T) {
	for _, key := range []string{
		"coatcheck", "Coatcheck:roles", "coatcheck\uff1aroles", "c\u043eatcheck:roles", " coatcheck:roles",
		"coatcheck\u200b:roles",
		"\\coatcheck:roles", "x.coatcheck:roles", "coat\u0301check:roles",
	} {
		both(t, func(s *session.Session) {
			s.Set(session.Path(key), 1)
			s.Set(session.Path("in", key), 2)
		}, func(s *session.Session) {
			wantGet(t, s, session.Path(key), int64(1))
			wantGet(t, s, session.Path("in", key), int64(2))
		})
	}
	both(t, func(s *session.Session) { s.Set(session.Path("in", "coatcheck:roles"), 1) }, func(s *session.Session) {
		wantGet(t, s, "in.coatcheck:roles", int64(1))
	})
}

func TestOwnFlashDataEndAsOthersDo(t *testing.T) {
	v := newRig(t).visitor()
	has := func(s *session.Session) bool { _, ok := ownMark.Get(s); return ok }
	v.with(func(s *session.Session) { s.Set("keep", 1); ownMark.Flash(s, []string{"once"}) })
	v.with(func(s *session.Session) {
		if !has(s) {
			t.Error("the flash of an own key is not there in the next request")
		}
	})
	v.with(func(s *session.Session) {
		if has(s) {
			t.Error("the flash of an own key is still there")
		}
	})
}

// A visitor who names what he sends, in an application that keeps it under that name, gets no role.
func TestAVisitorWhoNamesHisListGetsNoRole(t *testing.T) {
	r := newRig(t)
	g, err := guard.New(r.Manager, guard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("mallory") })
	v.with(func(s *session.Session) { s.Append(session.Path("coatcheck:roles"), "admin") })
	h := r.Middleware(g.Role("admin")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	if resp := v.through(h, "GET"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("status %d, want 403", resp.StatusCode)
	}
}

func TestAnErrorNamesItsPathAndReason(t *testing.T) {
	long := strings.Repeat("ü", 500) + "..end"
	for want, do := range map[string]func(*session.Session){
		`append to "text": the value is not a list`: func(s *session.Session) {
			s.Append("text",
				"canary")
		},
		`set "text.x": the path leads through a value that has no parts`: func(s *session.Session) {
			s.Set("text.x",
				"canary")
		},
		`flash "list.7": the path names a list element that is not there`: func(s *session.Session) {
			s.Flash("list.7",
				"canary")
		},
		`update "text.x": the path leads through a value that has no part`: func(s *session.Session) {
			session.Key[string]("text.x").Update(s, func(string) string { return "canary" })
		},
		`set "a..b": a path and each of its parts must not be empty`: func(s *session.Session) {
			s.Set("a..b",
				"canary")
		},
		`set for now "": a path and each of its parts must not be empty`: func(s *session.Session) {
			s.Now("",
				"canary")
		},
		"set \"" + strings.Repeat("ü", 100) + "…\": a path and": func(s *session.Session) { s.Set(long, "canary") },
	} {
		err := refuses(t, func(s *session.Session) { s.Set("text", "canary"); s.Set("list", []int{1}) }, do)
		if err == nil || !strings.Contains(err.Error(), "session: "+want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("Err = %v, want %s", err, want)
		}
	}
}
