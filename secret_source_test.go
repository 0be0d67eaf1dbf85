package session_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// vault says secrets, and can be changed.
type vault struct {
	mu      sync.Mutex
	secrets []session.Secret
	err     error
}

func (v *vault) say(secrets ...session.Secret) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secrets, v.err = secrets, nil
}

func (v *vault) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = err
}

func (v *vault) read(context.Context) ([]session.Secret, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.secrets, v.err
}

// Row 23: while fifty visitors go to and fro between two nodes, a secret is put in front and the old one removed.
// Nobody is logged out and no change is lost, and nothing that the old secret alone signed is accepted afterwards.
func TestARotationUnderLoadLogsNobodyOut(t *testing.T) {
	for name, newStore := range map[string]func() session.Store{
		"memory": func() session.Store { return memstore.New(memstore.Options{}) },
		"cookie": func() session.Store { s, _ := cookiestore.New(cookiestore.Options{}); return s },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { rotateUnderLoad(t, newStore()) })
		})
	}
}

func rotateUnderLoad(t *testing.T, store session.Store) {
	old, fresh := session.NewSecret(), session.NewSecret()
	secrets := &vault{}
	secrets.say(old)
	node := func() *session.Manager {
		m, err := session.New(store, session.Options{SecretSource: secrets.read, Seal: true, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	a := node()
	time.Sleep(40 * time.Second) // so that the two ask at different times
	b := node()
	left := begin(t, a)

	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			r := &rig{Manager: a, t: t}
			v := r.visitor()
			for n := range 600 {
				at := []*session.Manager{a, b}[n%2]
				v.on(at).with(func(s *session.Session) {
					if got := counter.Or(s, 0); got != n {
						t.Errorf("request %d finds %d", n, got)
					}
					counter.Update(s, func(n int) int { return n + 1 })
				})
				time.Sleep(time.Second)
			}
		})
	}
	time.Sleep(90 * time.Second)
	secrets.say(fresh, old)
	time.Sleep(6 * time.Minute)
	late := begin(t, b)
	secrets.say(fresh)
	time.Sleep(time.Minute + time.Second)
	for _, m := range []*session.Manager{a, b} {
		if s, err := m.Open(t.Context(), left); err != nil || !s.IsNew() {
			t.Errorf("a ticket of the removed secret: %v, new %v", err, s.IsNew())
		}
		if s, err := m.Open(t.Context(), late); err != nil || s.IsNew() {
			t.Errorf("a ticket of the new secret: %v, new %v", err, s.IsNew())
		}
	}
	wg.Wait()
}

// begin begins a session and returns its ticket.
func begin(t *testing.T, m *session.Manager) string {
	t.Helper()
	s, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Set("x", 1)
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.Token()
}

// A node that starts in the middle of a rotation signs with the secret that all know, and with the new one four
// minutes later.
func TestANewSecretSignsWhenEveryNodeKnowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, fresh := session.NewSecret(), session.NewSecret()
		store := memstore.New(memstore.Options{})
		peer, err := session.New(store, session.Options{Secrets: []session.Secret{old}, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		secrets := &vault{}
		secrets.say(fresh, old)
		m, err := session.New(store, session.Options{SecretSource: secrets.read, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		opens := func() bool {
			s, err := peer.Open(t.Context(), begin(t, m))
			return err == nil && !s.IsNew()
		}
		if !opens() {
			t.Error("it signs at once with a secret that a peer may not know")
		}
		time.Sleep(3 * time.Minute)
		if !opens() {
			t.Error("it signs too early with a secret that a peer may not know")
		}
		time.Sleep(time.Minute + time.Second)
		if opens() {
			t.Error("it does not sign with the new secret yet")
		}
		secrets.say(session.NewSecret()) // all at once: an emergency
		time.Sleep(time.Minute + time.Second)
		if s, _ := m.Open(t.Context(), begin(t, m)); s.IsNew() {
			t.Error("the only secret does not sign")
		}
	})
}

// A source that fails, or says what no manager takes, is told in the log, without any secret, and changes nothing.
func TestASourceThatFailsChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		secrets := &vault{}
		secrets.say(session.NewSecret())
		m, err := session.New(memstore.New(memstore.Options{}), session.Options{
			SecretSource: secrets.read, SweepEvery: -1, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ticket := begin(t, m)
		for _, spoil := range []func(){
			func() { secrets.fail(errors.New("vault sealed")) }, func() { secrets.say() },
			func() { secrets.say(session.Secret("too short, canary")) },
			func() { secrets.say(bytes.Repeat([]byte{7}, 32)) },
		} {
			synctest.Wait()
			log.Reset()
			spoil()
			time.Sleep(time.Minute + time.Second)
			synctest.Wait()
			if s, err := m.Open(t.Context(), ticket); err != nil || s.IsNew() {
				t.Errorf("the ticket does not open: %v", err)
			}
			if text := log.String(); !strings.Contains(text, "SecretSource") || strings.Contains(text, "canary") {
				t.Errorf("log: %s", text)
			}
		}
		m.Close()
		secrets.say(session.NewSecret())
		time.Sleep(time.Hour)
		if s, _ := m.Open(t.Context(), ticket); s.IsNew() {
			t.Error("a closed manager still asks")
		}
	})
}

// A program that unlocks a vault, or asks one far away, takes a while. A source that never answers holds up New for
// half a minute, and later nobody.
func TestASourceMayTakeHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := &vault{}
		secrets.say(session.NewSecret())
		asking := func(takes time.Duration) (*session.Manager, error) {
			slow := func(ctx context.Context) ([]session.Secret, error) {
				select {
				case <-ctx.Done():
					return nil, ctx.Err()
				case <-time.After(takes):
					return secrets.read(ctx)
				}
			}
			store := memstore.New(memstore.Options{})
			return session.New(store, session.Options{SecretSource: slow, SweepEvery: -1})
		}
		m, err := asking(29 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		ticket := begin(t, m)
		secrets.say(session.NewSecret())
		time.Sleep(90 * time.Second)
		if s, err := m.Open(t.Context(), ticket); err != nil || !s.IsNew() {
			t.Errorf("a ticket of the secret that was removed opens still: %v", err)
		}
		if m, err := asking(time.Hour); m != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("New with a source that does not answer gives %v, want the end of its time", err)
		}
	})
}

func TestSecretsComeFromOnePlace(t *testing.T) {
	source := func(secrets ...session.Secret) func(context.Context) ([]session.Secret, error) {
		return func(context.Context) ([]session.Secret, error) { return secrets, nil }
	}
	store := memstore.New(memstore.Options{})
	for name, opts := range map[string]session.Options{
		"both":          {Secrets: []session.Secret{testSecret}, SecretSource: source(testSecret)},
		"a weak source": {SecretSource: source(testSecret[:31])},
		"none":          {SecretSource: source()},
		"a failing one": {SecretSource: func(context.Context) ([]session.Secret, error) { return nil, errDown }},
	} {
		if m, err := session.New(store, opts); m != nil || err == nil || !strings.Contains(err.Error(), "Secret") {
			t.Errorf("%s: New = %v", name, err)
		}
	}
	m, err := session.New(store, session.Options{SecretSource: source(testSecret), SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.SetSecrets([]session.Secret{session.NewSecret()}); err == nil {
		t.Error("SetSecrets is accepted beside a source")
	}
}

// Secrets set on a running manager hold at once; what only a removed one signed is refused.
func TestSetSecretsHoldsAtOnce(t *testing.T) {
	r := newRig(t)
	v, left := r.visitor(), r.visitor()
	v.with(put("x", 1))
	left.with(put("x", 1))
	fresh := session.NewSecret()
	for _, weak := range [][]session.Secret{nil, {testSecret[:31]}, {bytes.Repeat([]byte("ab"), 20)}} {
		if err := r.SetSecrets(weak); err == nil || !strings.Contains(err.Error(), "Secrets") {
			t.Errorf("SetSecrets = %v", err)
		}
	}
	for _, secrets := range [][]session.Secret{{testSecret, fresh}, {fresh, testSecret}, {fresh}} {
		if err := r.SetSecrets(secrets); err != nil {
			t.Fatal(err)
		}
		v.with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
	}
	left.with(func(s *session.Session) { wantGet(t, s, "x", nil) })
}

// What people type, and what documents show, is no secret.
func TestWeakSecretsAreRefused(t *testing.T) {
	counting := make(session.Secret, 40)
	for i := range counting {
		counting[i] = byte(3 * i)
	}
	for name, secret := range map[string]session.Secret{
		"zeros": make(session.Secret, 32), "a repeated text": session.Secret(strings.Repeat("tea&", 8)),
		"counting":          counting,
		"a long text twice": session.Secret(strings.Repeat("twenty characters: x", 2)),
		"digits":            session.Secret("31415926535897932384626433832795"),
		"0 to f twice":      session.Secret("0123456789abcdef0123456789abcdef"),
		"a placeholder":     session.Secret("your-secret-key-with-32-characters-here!"),
		"of a template":     session.Secret("CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET"),
		"of a framework":    session.Secret("django-insecure-#k2j8h$x!9q0z7w6v5u4t3"),
		"of an example":     session.Secret("Example: 8c1f9e0d7b6a5f4e3d2c1b0a"),
		"half zeros":        append(make(session.Secret, 24), testSecret[:8]...),
	} {
		opts := session.Options{Secrets: []session.Secret{secret}, SweepEvery: -1}
		if m, err := session.New(memstore.New(memstore.Options{}), opts); m != nil || err == nil ||
			!strings.Contains(err.Error(), "not random") {
			t.Errorf("%s: New = %v", name, err)
		}
	}
	for range 2000 {
		s := session.NewSecret()
		hex, text := []byte(strings.ToUpper(strings.ReplaceAll(base64.StdEncoding.EncodeToString(s), "+", "-"))),
			base64.StdEncoding.EncodeToString(s)
		for _, secret := range []session.Secret{s, session.Secret(hex), session.Secret(text)} {
			if _, err := session.ParseSecrets("base64:" + base64.StdEncoding.EncodeToString(secret)); err != nil {
				t.Fatalf("a random secret of %d bytes is refused: %v", len(secret), err)
			}
		}
	}
}

// No document, configuration or example of this repository shows a secret that a manager would take. The demo keeps one
// that works in its own folder, and whoever tried it there runs the tests afterwards.
func TestNoDocumentShowsASecretThatWorks(t *testing.T) {
	notOurs := []string{"coatcheck-data", "out", "testdata"}
	literal := regexp.MustCompile(`base64:[A-Za-z0-9+/_-]{16,}={0,2}`)
	pages := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(d.Name(), ".") && name != "."
		if err == nil && d.IsDir() && (hidden || slices.Contains(notOurs, d.Name())) {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(name,
			"example_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		if bytes.IndexByte(text, 0) >= 0 { // a program or a picture
			return err
		}
		pages++
		for _, found := range literal.FindAllString(string(text), -1) {
			if _, parsed := session.ParseSecrets(found); parsed == nil {
				t.Errorf("%s shows a secret that would be taken: write one with \"example\" in it", name)
			}
		}
		return err
	})
	if err != nil || pages < 100 {
		t.Fatalf("%d pages, %v", pages, err)
	}
}

// A process that has just started does not know yet whether its first secret has settled. What another process has
// signed with that stays under it, so that the older one can be dropped while nobody notices.
func TestAStartPutsNothingBackUnderTheOldSecret(t *testing.T) {
	for name, newStore := range map[string]func() session.Store{
		"memory": func() session.Store { return memstore.New(memstore.Options{}) },
		"cookie": func() session.Store { s, _ := cookiestore.New(cookiestore.Options{}); return s },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { startAgain(t, newStore()) })
		})
	}
}

func startAgain(t *testing.T, store session.Store) {
	old, fresh := session.NewSecret(), session.NewSecret()
	node := func(opts session.Options) *session.Manager {
		opts.SweepEvery = -1
		m, err := session.New(store, opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	secrets := &vault{}
	secrets.say(fresh, old)
	first := node(session.Options{SecretSource: secrets.read})
	behind := (&rig{Manager: first, t: t}).visitor()
	behind.with(put("x", 1)) // which the old one signs
	time.Sleep(5 * time.Minute)
	v := behind.clone()
	v.on(first).with(put("x", 2))
	restarted := node(session.Options{SecretSource: secrets.read})
	for range 3 {
		resp := v.on(restarted).with(func(s *session.Session) { wantGet(t, s, "x", int64(2)) })
		if len(resp.Cookies()) > 0 {
			t.Error("a visitor with the newest signature is sent another one")
		}
	}
	time.Sleep(5 * time.Minute)
	v.on(node(session.Options{Secrets: []session.Secret{fresh}})).with(func(s *session.Session) {
		wantGet(t, s, "x", int64(2))
	})
}
