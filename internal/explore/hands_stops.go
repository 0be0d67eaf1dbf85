package explore

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"

	"github.com/coatcheck/session"
)

// step is where the other hand may come in between.
func (h *hand) step(what string) { h.x.stop(h.index, what, "") }

// stop is a step of whichever hand calls, if one does.
func (g *grip) stop(ctx context.Context, what, id string) {
	i, ok := ctx.Value(handKey{}).(int)
	if !ok {
		name := goroutine()
		g.mu.Lock()
		i, ok = g.numbers[name]
		g.mu.Unlock()
	}
	if ok && g.s != nil { // not when the session is loaded, before there are hands
		g.x.stop(i, what, id)
	}
}

type handKey struct{}

// ctx tells whose calls are made with it.
func (h *hand) ctx() context.Context { return context.WithValue(h.r.Context(), handKey{}, h.index) }

// within is a step of whichever hand runs a function that was given to the session: not always the one that gave it.
func (g *grip) within(what string) { g.stop(context.Background(), what, "") }

// goroutine names the one that calls. It takes long, and is asked only where no context tells whose call it is.
func goroutine() string {
	var buf [64]byte
	text := buf[:runtime.Stack(buf[:], false)]
	name, _, _ := bytes.Cut(bytes.TrimPrefix(text, []byte("goroutine ")), []byte(" "))
	return string(name)
}

func (g *grip) note(ctx context.Context, e session.Event) {
	g.mu.Lock()
	if e.Kind == session.EventLate {
		g.late++
	}
	g.mu.Unlock()
	if e.Kind == session.EventLate { // which is told with the context of the request, whoever was late
		ctx = context.Background()
	}
	g.stop(ctx, "tells of "+string(e.Kind), e.ID)
}

// lossHandler counts what is logged as an error.
type lossHandler struct {
	slog.Handler
	g *grip
}

func (l lossHandler) Enabled(context.Context, slog.Level) bool { return true }

func (l lossHandler) Handle(_ context.Context, r slog.Record) error {
	l.g.mu.Lock()
	defer l.g.mu.Unlock()
	if r.Level >= slog.LevelError {
		l.g.lost++
	}
	return nil
}

// headerStop is the response of a server, and a stop before the headers leave.
type headerStop struct {
	*httptest.ResponseRecorder
	g *grip
}

func (w headerStop) WriteHeader(status int) {
	w.g.within("sends the headers")
	w.ResponseRecorder.WriteHeader(status)
	w.Flush()
}

func (w headerStop) Write(p []byte) (int, error) {
	if !w.Flushed {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseRecorder.Write(p)
}

// handStore is a store each call of which is a step of the hand that makes it.
type handStore struct {
	Store
	g *grip
}

func (s handStore) Load(ctx context.Context, id string) (*session.Record, error) {
	s.g.stop(ctx, "load", id)
	return s.Store.Load(ctx, id)
}

func (s handStore) Save(ctx context.Context, rec *session.Record) error {
	s.g.stop(ctx, saveCall(rec), rec.ID)
	return s.Store.Save(ctx, rec)
}

func (s handStore) Delete(ctx context.Context, id string) error {
	s.g.stop(ctx, "delete", id)
	return s.Store.Delete(ctx, id)
}

func (s handStore) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	s.g.stop(ctx, "touch", id)
	return s.Store.Touch(ctx, id, version, seen, expires)
}

func (s handStore) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	s.g.stop(ctx, "list", "")
	return s.Store.ByUser(ctx, user)
}
