package session_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session"
)

// watch reads everything that the managers of this package's tests log, at debug level, and what their events say, and
// remembers what looks like a ticket, half of one, a carried session or the secret.
var watch = &canaryWatch{}

type canaryWatch struct {
	mu    sync.Mutex
	lines int
	found []string
}

// A ticket is v1.<43>.<43>; its halves alone are 43 characters of base64, where an id has 64 of hexadecimal digits.
var looksSecret = regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?:$|[^A-Za-z0-9_-])|e1\.[A-Za-z0-9_-]{60}`)

func secretSpellings(secret session.Secret) []string {
	raw := []byte(secret)
	return []string{string(raw), hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw),
		base64.RawURLEncoding.EncodeToString(raw), fmt.Sprint(raw)}
}

// Write is how a logger writes to it.
func (w *canaryWatch) Write(p []byte) (int, error) {
	w.read(string(p))
	return len(p), nil
}

func (w *canaryWatch) read(text string) {
	bad := looksSecret.MatchString(text)
	for _, s := range secretSpellings(testSecret) {
		bad = bad || strings.Contains(text, s)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines++
	if bad {
		w.found = append(w.found, text)
	}
}

// over adds the watch to the options of a manager under test. It leaves those alone that want neither log nor events.
func (w *canaryWatch) over(o *session.Options) {
	told := o.OnEvent
	if told == nil {
		return
	}
	o.OnEvent = func(ctx context.Context, e session.Event) {
		w.read(fmt.Sprintf("%+v %#v", e, e))
		told(ctx, e)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
}

// After all tests of the package, nothing that they logged or reported shows a ticket or the secret.
func TestMain(m *testing.M) {
	code := m.Run()
	if len(watch.found) > 0 {
		fmt.Printf("%d of %d lines that were logged show a secret, such as\n%s\n", len(watch.found), watch.lines,
			watch.found[0])
		code = 1
	}
	os.Exit(code)
}

// The watch finds what it is there for, and takes no id for a ticket.
func TestTheWatchFindsSecrets(t *testing.T) {
	v := newRig(t).visitor()
	v.with(put("x", 1))
	parts := strings.Split(v.ticket(), ".")
	id := ""
	v.with(func(s *session.Session) { id = s.ID() })
	for _, text := range append(secretSpellings(testSecret), v.ticket(), "ticket="+parts[1], `"`+parts[2]+`"`,
		"e1."+strings.Repeat("A", 80)) {
		w := &canaryWatch{}
		if fmt.Fprintln(w, "a line with", text); len(w.found) != 1 {
			t.Errorf("%d characters are not found", len(text))
		}
	}
	w := &canaryWatch{}
	if fmt.Fprintln(w, "id="+id, "a user agent with-a_long-word and a path /a/b"); len(w.found) != 0 {
		t.Errorf("an id is taken for a ticket")
	}
}
