package session_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/coatcheck/session"
)

// meeting is what two requests did to one session, the first of which commits first.
type meeting struct {
	start, first, second func(*session.Session)
	want                 data
}

var none = func(*session.Session) {}

func put(path string, v any) func(*session.Session) {
	return func(s *session.Session) { s.Set(path, v) }
}

// What two requests at two nodes do to one session is merged; on one path the last committer wins.
func TestTwoRequestsAreMerged(t *testing.T) {
	for name, m := range map[string]meeting{
		"different keys": {none, put("a", 1), put("b", 2), data{"a": int64(1), "b": int64(2)}},
		"different paths": {none, put("m.a", 1), put("m.b", 2),
			data{"m": data{"a": int64(1), "b": int64(2)}}},
		"paths of deep maps": {put("m.x.y", 0), put("m.x.a", 1), put("m.x.b", 2),
			data{"m": data{"x": data{"y": int64(0), "a": int64(1), "b": int64(2)}}}},
		"one path":           {none, put("a", 1), put("a", 2), data{"a": int64(2)}},
		"parent after child": {none, put("m.a", 1), put("m", data{"b": 2}), data{"m": data{"b": int64(2)}}},
		"child after parent": {none, put("m", data{"b": 2}), put("m.a", 1),
			data{"m": data{"a": int64(1), "b": int64(2)}}},
		"appends": {none, func(s *session.Session) { s.Append("l", 1, 2) },
			func(s *session.Session) { s.Append("l", 3) }, data{"l": []any{int64(1), int64(2), int64(3)}}},
		"appends to what is": {put("l", []int{0}), func(s *session.Session) { s.Append("l", 1) },
			func(s *session.Session) { s.Append("l", 2) }, data{"l": []any{int64(0), int64(1), int64(2)}}},
		"typed appends": {none, func(s *session.Session) { session.Append(s, "m.l", "a") },
			func(s *session.Session) { session.Append(s, "m.l", "b") }, data{"m": data{"l": []any{"a", "b"}}}},
		"updates":          {put("n", 1), increment, increment, data{"n": int64(3)}},
		"update, then set": {put("n", 1), increment, put("n", 7), data{"n": int64(7)}},
		"set, then update": {put("n", 1), put("n", 7), increment, data{"n": int64(8)}},
		"remove, then set": {put("a", 1), func(s *session.Session) { s.Remove("a") }, put("a", 2),
			data{"a": int64(2)}},
		"set, then remove": {put("a", 1), put("a", 2), func(s *session.Session) { s.Remove("a") }, data{}},
		"remove both": {put("a", 1), func(s *session.Session) { s.Remove("a") },
			func(s *session.Session) { s.Remove("a"); s.Set("b", 1) }, data{"b": int64(1)}},
		"removes of elements": {put("m", data{"a": 1, "b": 2, "c": 3}),
			func(s *session.Session) { s.Remove("m.a") }, func(s *session.Session) { s.Remove("m.b") },
			data{"m": data{"c": int64(3)}}},
		"set, then clear":            {put("a", 1), put("b", 2), func(s *session.Session) { s.Clear() }, data{}},
		"set, then clear of nothing": {none, put("b", 2), func(s *session.Session) { s.Clear() }, data{}},
		"clear, then set": {put("a", 1), func(s *session.Session) { s.Clear() }, put("b", 2),
			data{"b": int64(2)}},
		"set, then clear + set": {put("a", 1), put("b", 2), func(s *session.Session) { s.Clear(); s.Set("c", 3) },
			data{"c": int64(3)}},
		"clear, then update": {put("n", 5), func(s *session.Session) { s.Clear() }, increment, data{"n": int64(1)}},
		"absent is no change": {none, put("a", 1), func(s *session.Session) { s.Remove("a"); s.Set("b", 1) },
			data{"a": int64(1), "b": int64(1)}},
		"pop":             {put("a", 1), put("b", 2), func(s *session.Session) { s.Pop("a") }, data{"b": int64(2)}},
		"flash, then set": {none, func(s *session.Session) { s.Flash("f", 1) }, put("f", 2), data{"f": int64(2)}},
		"set, then flash": {none, put("f", 1), func(s *session.Session) { s.Flash("f", 2) }, data{"f": int64(2)}},
		"two flashes": {none, func(s *session.Session) { s.Flash("f.a", 1) },
			func(s *session.Session) { s.Flash("f.b", 2) }, data{"f": data{"a": int64(1), "b": int64(2)}}},
		"many at once": {put("n", 0), func(s *session.Session) { increment(s); s.Append("l", "a"); s.Set("x.a", 1) },
			func(s *session.Session) { increment(s); s.Append("l", "b"); s.Set("x.b", 2); s.Remove("gone") },
			data{"n": int64(2), "l": []any{"a", "b"}, "x": data{"a": int64(1), "b": int64(2)}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada"); m.start(s) })
			first, second := v.open(), v.on(r.node().Manager).open()
			m.second(second)
			m.first(first)
			for _, s := range []*session.Session{first, second} {
				if err := s.Save(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := second.All(); !reflect.DeepEqual(got, m.want) {
				t.Errorf("the second request sees %v, want %v", got, m.want)
			}
			v.with(func(s *session.Session) {
				if got := s.All(); !reflect.DeepEqual(got, m.want) || s.User() != "ada" {
					t.Errorf("stored %v, want %v", got, m.want)
				}
			})
		})
	}
}

// A replay that cannot be applied fails the whole commit: nothing of it is stored, and the session goes on.
func TestAReplayThatCannotBeAppliedFailsTheWholeCommit(t *testing.T) {
	for name, m := range map[string]meeting{
		"set through a scalar": {none, put("m", "text"), put("m.a", 1), data{"m": "text"}},
		"append to a scalar": {none, put("m", "text"), func(s *session.Session) { s.Append("m", 1) },
			data{"m": "text"}},
		"flash through a scalar": {none, put("m", "text"), func(s *session.Session) { s.Flash("m.a", 1) },
			data{"m": "text"}},
		"update that not decodes": {none, put("n", "text"), increment, data{"n": "text"}},
		"index that went": {put("l", []int{1, 2}), func(s *session.Session) { s.Remove("l.1") }, put("l.1", 3),
			data{"l": []any{int64(1)}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada"); m.start(s) })
			slow, g := v.clone().on(r.node().Manager), newGate()
			status := make(chan int)
			go func() {
				resp := slow.with(func(s *session.Session) {
					s.Set("other", 1)
					m.second(s)
					g.wait()
				})
				status <- resp.StatusCode
			}()
			<-g.reached
			v.with(m.first)
			close(g.open)
			if got := <-status; got != 500 {
				t.Errorf("status %d, want 500", got)
			}
			v.with(func(s *session.Session) {
				if got := s.All(); !reflect.DeepEqual(got, m.want) || s.User() != "ada" {
					t.Errorf("stored %v, user %q, want %v", got, s.User(), m.want)
				}
			})
		})
	}
}

// After such a failure Reload gives a session that can be used again.
func TestAfterAFailedReplayTheSessionCanBeReloaded(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(put("x", 1))
	s := v.open()
	s.Set("m.a", 1)
	v.with(put("m", "text"))
	for range 2 {
		if err := s.Save(t.Context()); err == nil || errors.Is(err, session.ErrUnavailable) ||
			errors.Is(err, session.ErrEnded) {
			t.Errorf("Save = %v, want why it cannot be applied", err)
		}
	}
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Set("y", 1)
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.with(func(s *session.Session) { wantGet(t, s, "y", int64(1)); wantGet(t, s, "m", "text") })
}

// Settings are merged like data, and a login of one request keeps what the other one set.
func TestSettingsAndLoginsAreMergedToo(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(put("x", 1))
	a, b := v.open(), v.on(r.node().Manager).open()
	a.SetIdleTimeout(2e9)
	a.Set("a", 1)
	b.SetLifetime(3e9)
	b.SetPersistent(true)
	b.Login("ada")
	for _, s := range []*session.Session{a, b} {
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	again, err := r.Open(t.Context(), b.Token())
	if err != nil || again.User() != "ada" || again.Get("a") != int64(1) ||
		!again.ExpiresAt().Equal(r.clock.now().Add(2e9)) {
		t.Errorf("user %q, data %v, expires %v, %v", again.User(), again.All(), again.ExpiresAt(), err)
	}
	infos, _ := r.Sessions(t.Context(), "ada")
	if len(infos) != 1 || !infos[0].Persistent {
		t.Errorf("Sessions = %+v", infos)
	}
}

// Any number of requests at once on two nodes, and every append and step is kept.
func TestParallelWritersLoseNothing(t *testing.T) {
	r := newRig(t)
	nodes := []*session.Manager{r.Manager, r.node().Manager}
	v := r.visitor()
	v.with(put("x", 1))
	const writers = 30
	errs := make(chan error)
	for i := range writers {
		s := v.on(nodes[i%2]).open()
		go func() {
			increment(s)
			s.Append("in.list", i)
			s.Set(fmt.Sprintf("own.%d", i), true)
			errs <- s.Save(context.Background())
		}()
	}
	for range writers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	v.with(func(s *session.Session) {
		list, _ := s.Get("in.list").([]any)
		own, _ := s.Get("own").(map[string]any)
		if counter.Or(s, 0) != writers || len(list) != writers || len(own) != writers {
			t.Errorf("n = %d, %d in the list, %d of its own, want %d", counter.Or(s, 0), len(list), len(own), writers)
		}
	})
}

// model is what DESIGN section 4 says of a session's data, as simple as it can be: keys, and lists and maps of one
// level.
type model struct {
	data    data
	flash   map[string]bool // true: of an earlier request
	applied []func(*model)
}

func (m *model) clone() *model {
	return &model{data: deep(m.data).(data), flash: maps.Clone(m.flash)}
}

func deep(v any) any {
	switch v := v.(type) {
	case data:
		c := data{}
		for k, child := range v {
			c[k] = deep(child)
		}
		return c
	case []any:
		return append([]any{}, v...)
	}
	return v
}

// step is one random operation, on the session and on the model.
type step struct {
	name string
	s    func(*session.Session)
	m    func(*model)
}

func randomStep(rng *rand.Rand) step {
	key := string(rune('a' + rng.IntN(3)))
	sub := string(rune('x' + rng.IntN(2)))
	n := int64(rng.IntN(1000))
	switch rng.IntN(9) {
	case 0, 1:
		return step{fmt.Sprintf("Set(%s, %d)", key, n), put(key, n),
			func(m *model) { m.data[key] = n; delete(m.flash, key) }}
	case 2:
		path := "map" + key + "." + sub
		return step{fmt.Sprintf("Set(%s, %d)", path, n), put(path, n), func(m *model) { m.sub("map" + key)[sub] = n }}
	case 3:
		path := "list" + key
		return step{fmt.Sprintf("Append(%s, %d)", path, n), func(s *session.Session) { s.Append(path, n) },
			func(m *model) {
				list, _ := m.data[path].([]any)
				m.data[path] = append(append([]any{}, list...), n)
			}}
	case 4:
		return step{"Update(n)", func(s *session.Session) {
			session.Key[int64]("n").Update(s, func(v int64) int64 { return v*3 + n })
		}, func(m *model) {
			v, _ := m.data["n"].(int64)
			m.data["n"] = v*3 + n
		}}
	case 5:
		return step{"Remove(" + key + ")", func(s *session.Session) { s.Remove(key) },
			func(m *model) { delete(m.data, key); delete(m.flash, key) }}
	case 6:
		path := "map" + key + "." + sub
		return step{"Remove(" + path + ")", func(s *session.Session) { s.Remove(path) }, func(m *model) {
			if sub2, ok := m.data["map"+key].(data); ok {
				delete(sub2, sub)
			}
		}}
	case 7:
		return step{fmt.Sprintf("Flash(%s, %d)", key, n), func(s *session.Session) { s.Flash(key, n) },
			func(m *model) { m.data[key] = n; m.flash[key] = false }}
	}
	if rng.IntN(4) > 0 {
		return step{"Get", func(s *session.Session) { s.Get(key); s.All() }, func(*model) {}}
	}
	return step{"Clear", func(s *session.Session) { s.Clear() }, func(m *model) { clear(m.data); clear(m.flash) }}
}

func (m *model) sub(key string) data {
	sub, ok := m.data[key].(data)
	if !ok {
		sub = data{}
		m.data[key] = sub
	}
	return sub
}

// begin is the start of a request: what was flashed before is of an earlier one now.
func (m *model) begin() {
	for k := range m.flash {
		m.flash[k] = true
	}
}

// end removes the flash data of earlier requests.
func (m *model) end() {
	for k, old := range m.flash {
		if old {
			delete(m.data, k)
			delete(m.flash, k)
		}
	}
}

// One request after another, at random nodes, does random things; the model says what each must see.
func TestRandomRequestsInARowFollowTheModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 50 {
		r := newRig(t)
		nodes := []*session.Manager{r.Manager, r.node(func(o *session.Options) { o.Seal = true }).Manager}
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		m := &model{data: data{}, flash: map[string]bool{}}
		var log []string
		for range 40 {
			m.begin()
			log = append(log, "request")
			resp := v.on(nodes[rng.IntN(2)]).with(func(s *session.Session) {
				for range rng.IntN(5) {
					step := randomStep(rng)
					log = append(log, step.name)
					step.s(s)
					step.m(m)
					if got := s.All(); !reflect.DeepEqual(got, m.data) {
						t.Fatalf("seed %d: the session has\n%v, the model\n%v after\n%v", seed, got, m.data, log)
					}
				}
				switch rng.IntN(6) {
				case 0:
					s.Regenerate()
				case 1:
					s.Login("ada")
				case 2:
					if err := s.Save(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			})
			m.end()
			if resp.StatusCode != 200 {
				t.Fatalf("seed %d: status %d after\n%v", seed, resp.StatusCode, log)
			}
		}
	}
}

// Several requests have the session at once, at two nodes, and commit in a random order: what is stored is what the
// model gets when it does their operations one request after the other, in the order of the commits.
func TestRandomConcurrentRequestsAreMergedAsTheModelSays(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	for range 100 {
		r := newRig(t)
		nodes := []*session.Manager{r.Manager, r.node().Manager}
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada"); s.Set("a", int64(1)); s.Append("lista", int64(1)) })
		m := &model{data: data{"a": int64(1), "lista": []any{int64(1)}}, flash: map[string]bool{}}
		var log []string
		for range 5 {
			n := 1 + rng.IntN(4)
			requests := make([]*session.Session, n)
			mine := make([]*model, n)
			for i := range requests {
				requests[i], mine[i] = v.on(nodes[rng.IntN(2)]).open(), m.clone()
			}
			for range 3 * n {
				i := rng.IntN(n)
				step := randomStep(rng)
				if step.name[0] == 'F' { // flash data of requests at once have tests of their own
					continue
				}
				if had := mine[i].clone(); step.name[0] == 'R' { // of what is absent: no change
					if step.m(had); reflect.DeepEqual(had.data, mine[i].data) {
						step.s(requests[i])
						continue
					}
				}
				log = append(log, fmt.Sprintf("%d: %s", i, step.name))
				step.s(requests[i])
				step.m(mine[i])
				mine[i].applied = append(mine[i].applied, step.m)
			}
			for _, i := range rng.Perm(n) {
				log = append(log, fmt.Sprintf("%d: Save", i))
				if err := requests[i].Save(t.Context()); err != nil {
					t.Fatalf("seed %d: %v after\n%v", seed, err, log)
				}
				for _, do := range mine[i].applied {
					do(m)
				}
			}
			v.with(func(s *session.Session) {
				if got := s.All(); !reflect.DeepEqual(got, m.data) {
					t.Fatalf("seed %d: stored\n%v, the model has\n%v after\n%v", seed, got, m.data, log)
				}
			})
		}
	}
}

// Every visitor gets an id of his own.
func TestEveryVisitorGetsAnIDOfHisOwn(t *testing.T) {
	r := newRig(t)
	const visitors = 2_000
	ids := make([]string, 0, visitors)
	for range visitors {
		s, err := r.Open(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		s.Set("x", 1)
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(s.ID()) < 32 || len(s.Token()) < 40 {
			t.Fatalf("id of %d, ticket of %d characters", len(s.ID()), len(s.Token()))
		}
		ids = append(ids, s.ID())
	}
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != visitors {
		t.Errorf("%d ids for %d visitors", n, visitors)
	}
}
