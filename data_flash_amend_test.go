package session_test

import (
	"testing"

	"github.com/coatcheck/session"
)

// amended are changes of flash data that keep what is there: what they do, and what a request sees after them when the
// value was there before, and when another request had consumed it by then.
var amended = map[string]struct {
	begin, change     func(*session.Session)
	seen, after, late data
}{
	"Append": {
		func(s *session.Session) { s.Flash("f", []string{"a"}) },
		func(s *session.Session) { s.Append("f", "b") },
		data{"f": []any{"a"}}, data{"f": []any{"a", "b"}}, data{"f": []any{"b"}},
	},
	"Append to a part": {
		func(s *session.Session) { s.Flash("in.f", []string{"a"}) },
		func(s *session.Session) { s.Append("in.f", "b") },
		data{"in": data{"f": []any{"a"}}}, data{"in": data{"f": []any{"a", "b"}}}, data{"in": data{"f": []any{"b"}}},
	},
	"Append within": {
		func(s *session.Session) { s.Flash("f", data{"l": []string{"a"}}) },
		func(s *session.Session) { s.Append("f.l", "b") },
		data{"f": data{"l": []any{"a"}}}, data{"f": data{"l": []any{"a", "b"}}},
		data{"f": data{"l": []any{"b"}}},
	},
	"Update": {
		func(s *session.Session) { s.Flash("f", 1) },
		func(s *session.Session) { session.Key[int]("f").Update(s, func(n int) int { return n + 1 }) },
		data{"f": int64(1)}, data{"f": int64(2)}, data{"f": int64(1)},
	},
}

// What is added to flash data is there for the next request, whether those are of this request or of the last one.
func TestWhatIsAddedToFlashDataIsSeen(t *testing.T) {
	for name, row := range amended {
		t.Run(name+" in the same request", func(t *testing.T) {
			visits(t, newRig(t).visitor(), visit{nil, func(s *session.Session) { row.begin(s); row.change(s) }},
				visit{row.after, nil}, visit{nil, nil})
		})
		t.Run(name+" in the next request", func(t *testing.T) {
			visits(t, newRig(t).visitor(), visit{nil, row.begin}, visit{row.seen, row.change},
				visit{row.after, nil}, visit{nil, nil})
		})
	}
}

// Another request consumes the flash data between the load and the commit. What was added is seen once all the same,
// and does not become ordinary data.
func TestWhatIsAddedToConsumedFlashDataIsSeenOnce(t *testing.T) {
	for name, row := range amended {
		t.Run(name, func(t *testing.T) {
			v := newRig(t).visitor()
			visits(t, v, visit{nil, row.begin})
			slow := v.open()
			row.change(slow)
			visits(t, v, visit{row.seen, nil})
			if err := slow.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
			visits(t, v, visit{row.late, nil}, visit{nil, nil})
		})
	}
}

// Another request makes the flash data ordinary between the load and the commit: what is added to them stays, too.
func TestWhatIsAddedToFlashDataThatBecameOrdinaryStays(t *testing.T) {
	for name, row := range amended {
		t.Run(name, func(t *testing.T) {
			v := newRig(t).visitor()
			visits(t, v, visit{nil, row.begin})
			slow := v.open()
			row.change(slow)
			visits(t, v, visit{row.seen, func(s *session.Session) {
				for key, value := range row.seen {
					s.Set(key, value)
				}
			}})
			if err := slow.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
			visits(t, v, visit{row.after, nil}, visit{row.after, nil})
		})
	}
}

// Ordinary data stay ordinary, also beside flash data and around them.
func TestWhatIsAddedToOrdinaryDataStays(t *testing.T) {
	visits(t, newRig(t).visitor(),
		visit{nil, func(s *session.Session) {
			s.Set("in.l", []string{"a"})
			s.Flash("in.f", 1)
			s.Set("n", 1)
		}},
		visit{data{"in": data{"l": []any{"a"}, "f": int64(1)}, "n": int64(1)}, func(s *session.Session) {
			s.Append("in.l", "b")
			session.Key[int]("n").Update(s, func(n int) int { return n + 1 })
			session.Key[map[string]any]("in").Update(s, func(m map[string]any) map[string]any {
				m["more"] = 1
				return m
			})
		}},
		visit{data{"in": data{"l": []any{"a", "b"}, "more": int64(1)}, "n": int64(2)}, nil},
		visit{data{"in": data{"l": []any{"a", "b"}, "more": int64(1)}, "n": int64(2)}, nil},
	)
}

// A path that is flashed again in the next request leaves nothing behind either: no empty parent.
func TestFlashAgainLeavesNoEmptyParent(t *testing.T) {
	flash := func(s *session.Session) { s.Flash("in.deep.f", 1) }
	sees := data{"in": data{"deep": data{"f": int64(1)}}}
	visits(t, newRig(t).visitor(), visit{nil, flash}, visit{sees, flash}, visit{sees, flash}, visit{sees, nil},
		visit{nil, nil})
}
