package session_test

import (
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/coatcheck/session"
)

// logged is a log that a test reads.
type logged struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (l *logged) to(o *session.Options) {
	o.Logger = slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (l *logged) Write(p []byte) (int, error) {
	watch.read(string(p))
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

func (l *logged) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

// has reports whether one line is of that level, and says all of that.
func (l *logged) has(level string, texts ...string) bool {
	for line := range strings.Lines(l.text()) {
		missing := func(text string) bool { return !strings.Contains(line, text) }
		if strings.Contains(line, "level="+level+" ") && !slices.ContainsFunc(texts, missing) {
			return true
		}
	}
	return false
}
