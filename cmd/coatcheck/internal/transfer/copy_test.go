package transfer_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/transfer"
	"github.com/coatcheck/session/memstore"
)

// move is two stores with their managers, and a journal.
type move struct {
	t        *testing.T
	from, to session.Store
	old, new *session.Manager // of the site, before and after
	journal  string
}

func newMove(t *testing.T, from, to session.Store) *move {
	t.Helper()
	secret := session.NewSecret()
	return &move{t, from, to, manage(t, from, secret), manage(t, to, secret), filepath.Join(t.TempDir(), "journal.db")}
}

// run copies and compares, as the command does, and returns what was done and how it ended.
func (m *move) run(ctx context.Context) (*transfer.Copied, error) {
	m.t.Helper()
	journal, err := transfer.OpenJournal(context.Background(), m.journal, "from", "to")
	if err != nil {
		m.t.Fatal(err)
	}
	defer journal.Close()
	c := &transfer.Copying{M: m.new, From: m.from, To: m.to, Journal: journal}
	step := func(int) {}
	return c.Done(), errors.Join(c.Pass(ctx, step), c.Pass(ctx, step), c.Verify(ctx, step))
}

// must runs it, and wants that all is well.
func (m *move) must() *transfer.Copied {
	m.t.Helper()
	done, err := m.run(m.t.Context())
	if err != nil || len(done.Problems) > 0 {
		m.t.Fatalf("the copy ended with %v and %+v", err, done)
	}
	return done
}

func (m *move) alive(token string) bool {
	m.t.Helper()
	return !open(m.t, m.new, token).IsNew()
}

func save(t *testing.T, s *session.Session) {
	t.Helper()
	if err := s.Save(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestASiteThatMovesSignsNobodyOutAndLosesNothing(t *testing.T) {
	m := newMove(t, files(t), memstore.New(memstore.Options{}))
	const sessions = 30
	tokens := make([]string, sessions)
	added := make([]atomic.Int64, sessions)
	for i := range tokens {
		tokens[i] = begin(t, m.old, "ada").Token()
	}
	stop := make(chan struct{})
	var visitors sync.WaitGroup
	for range 3 {
		visitors.Go(func() {
			for i := 0; running(stop); i = (i + 1) % sessions {
				if err := addOne(m.old, tokens[i]); err != nil {
					t.Error(err)
					return
				}
				added[i].Add(1)
			}
		})
	}
	m.must() // while the site runs
	close(stop)
	visitors.Wait()
	if done := m.must(); done.Verified != sessions {
		t.Errorf("%+v, want all %d compared", done, sessions)
	}
	for i, token := range tokens {
		if s := open(t, m.new, token); counter.Or(s, -1) != int(added[i].Load()) || s.User() != "ada" {
			t.Errorf("after the move %q counts %d, want ada and %d", s.User(), counter.Or(s, -1), added[i].Load())
		}
	}
	infos, err := m.new.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != sessions {
		t.Errorf("ada has %d sessions, %v, want %d", len(infos), err, sessions)
	}
}

func TestWhatEndsWhileItIsCopiedIsEndedThere(t *testing.T) {
	m := newMove(t, memstore.New(memstore.Options{}), files(t))
	out, revoked, stays := begin(t, m.old, "ada"), begin(t, m.old, "ada"), begin(t, m.old, "ada")
	tokens := []string{out.Token(), revoked.Token()}
	m.must()
	out.Logout()
	save(t, out)
	if _, err := m.old.Revoke(t.Context(), revoked.ID()); err != nil {
		t.Fatal(err)
	}
	done := m.must()
	if m.alive(tokens[0]) || m.alive(tokens[1]) || !m.alive(stays.Token()) {
		t.Errorf("%+v: what ended is alive, or what did not is gone", done)
	}
	if infos, err := m.new.Sessions(t.Context(), "ada"); err != nil || len(infos) != 1 {
		t.Errorf("ada has %d sessions, %v, want 1", len(infos), err)
	}
}

func TestRenewedAndRetiredTicketsMoveWithTheSession(t *testing.T) {
	from, to := memstore.New(memstore.Options{}), files(t)
	m := newMove(t, from, to)
	var ahead atomic.Int64
	secret := session.NewSecret()
	renewing := session.Options{Secrets: []session.Secret{secret}, SweepEvery: -1, RenewEvery: time.Hour,
		RenewGrace: 10 * time.Minute,
		Now:        func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
	for store, manager := range map[session.Store]**session.Manager{from: &m.old, to: &m.new} {
		made, err := session.New(store, renewing)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { made.Close() })
		*manager = made
	}
	s := begin(t, m.old, "ada")
	first := s.Token()
	m.must()
	ahead.Store(int64(2 * time.Hour))
	second := visit(t, m.old, first, func(s *session.Session) { s.Set("n", 7) })
	retired := begin(t, m.old, "grace")
	before := retired.Token()
	retired.Regenerate()
	save(t, retired)
	m.must()
	for _, token := range []string{first, second} {
		if s := open(t, m.new, token); s.User() != "ada" || counter.Or(s, 0) != 7 {
			t.Errorf("a ticket opens %q with %d, want ada with 7", s.User(), counter.Or(s, 0))
		}
	}
	if m.alive(before) || !m.alive(retired.Token()) {
		t.Error("the retired ticket opens a session, or its successor does not")
	}
}

// visit makes a request, and returns the new ticket that the response hands out.
func visit(t *testing.T, m *session.Manager, token string, do func(*session.Session)) string {
	t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "https://shop.example/", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-Http-session", Value: token})
	w := httptest.NewRecorder()
	m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { do(s) }).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		return c.Value
	}
	t.Fatalf("the response, %d, hands out no ticket", w.Code)
	return ""
}

func TestACopyThatTheSiteHasUsedIsNotTouched(t *testing.T) {
	m := newMove(t, memstore.New(memstore.Options{}), files(t))
	used, ended, late := begin(t, m.old, "ada"), begin(t, m.old, "grace"), begin(t, m.old, "alan")
	m.must()
	if err := addOne(m.new, used.Token()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.new.Revoke(t.Context(), ended.ID()); err != nil {
		t.Fatal(err)
	}
	fresh := begin(t, m.new, "mary")
	// A node that has not heard of the move still writes the first store.
	for _, token := range []string{used.Token(), ended.Token(), late.Token()} {
		s := open(t, m.old, token)
		s.Set("n", 100)
		save(t, s)
	}
	if _, err := m.old.Revoke(t.Context(), late.ID()); err != nil {
		t.Fatal(err)
	}
	done := m.must()
	if s := open(t, m.new, used.Token()); counter.Or(s, 0) != 1 {
		t.Errorf("%+v: the used copy counts %d, want 1", done, counter.Or(s, 0))
	}
	if m.alive(ended.Token()) || m.alive(late.Token()) || !m.alive(fresh.Token()) {
		t.Errorf("%+v: a session came back, or one that began there is gone", done)
	}
}

func TestAStoreThatWasEmptiedEndsNobodysSession(t *testing.T) {
	from := memstore.New(memstore.Options{})
	m := newMove(t, from, files(t))
	s := begin(t, m.old, "ada")
	m.must()
	if err := from.Delete(t.Context(), s.ID()); err != nil {
		t.Fatal(err)
	}
	m.must()
	if !m.alive(s.Token()) {
		t.Error("the copy is gone")
	}
}

func TestWhatDoesNotOpenIsToldOfAndNotCopied(t *testing.T) {
	m := newMove(t, memstore.New(memstore.Options{}), files(t))
	begin(t, manage(t, m.from, session.NewSecret()), "mallory")
	good := begin(t, m.old, "ada")
	done, err := m.run(t.Context())
	if err != nil || len(done.Problems) != 1 || done.Problems[0].User != "mallory" || done.Copied != 1 {
		t.Errorf("%+v, %v, want one problem and one copy", done, err)
	}
	if !m.alive(good.Token()) {
		t.Error("the good session is not there")
	}
}

func TestAJournalBelongsToTwoStores(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := transfer.OpenJournal(t.Context(), path, "file", "redis")
	if err != nil {
		t.Fatal(err)
	}
	if other, err := transfer.OpenJournal(t.Context(), path, "file", "redis"); err == nil {
		other.Close()
		t.Error("two copies have the journal open at the same time")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if other, err := transfer.OpenJournal(t.Context(), path, "redis", "file"); err == nil {
		other.Close()
		t.Error("the journal of other stores was taken")
	}
}

// Both would read it, and then each would keep the other from writing.
func TestAJournalOfAnEarlierRunIsOpenInOnePlaceAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	for range 2 {
		j, err := transfer.OpenJournal(t.Context(), path, "file", "redis")
		if err != nil {
			t.Fatal(err)
		}
		other, err := transfer.OpenJournal(t.Context(), path, "file", "redis")
		if err == nil {
			_ = other.Close()
			t.Error("two copies have the journal open at the same time")
		} else if !strings.Contains(err.Error(), "another copy may have it open") {
			t.Errorf("the error is %v, want one that says why", err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A full disk and a file that is no journal are not to be taken for another copy.
func TestAJournalThatCannotBeOneIsNotTakenForOneInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no journal ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := transfer.OpenJournal(t.Context(), path, "file", "redis")
	if err == nil {
		_ = j.Close()
	}
	if err == nil || strings.Contains(err.Error(), "another copy") {
		t.Errorf("the error is %v, want one that does not speak of another copy", err)
	}
}
