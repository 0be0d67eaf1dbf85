package session

import (
	"context"
	"net/http"
)

// Preload is Middleware that loads the session before the handler runs, which then has it from [From], in one line.
// When it cannot be loaded, Options.OnError answers, and the handler does not run: an outage is one clean 503 whatever
// the framework makes of errors. A request without a ticket costs no call of the store, one with a ticket costs one,
// also where the handler does not ask for the session: let it stand around what does, or see Options.Skip. The session
// of a request that Options.Skip names is an empty one that is never stored.
func (m *Manager) Preload(next http.Handler) http.Handler {
	return m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *Session) {
		if s.ex == nil { // of a request that Options.Skip names
			r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, s))
		}
		next.ServeHTTP(w, r)
	})
}

// From returns the session that Preload loaded, that of the innermost manager around the request. It is never nil.
//
// Below Middleware alone From loads the session, as Load does. When that fails it returns an empty session whose Err is
// the error that Load returns, and the response is the answer of Options.OnError, whatever the handler writes: nobody
// is told to be signed out because of an outage.
//
// In a context that passed through neither, there is nothing to store a session in. The error is logged then, and the
// session is an empty one whose Err, Save, Reload and Atomic say ErrNoMiddleware.
func From(ctx context.Context) *Session {
	switch at := ctx.Value(exchangeKey{}).(type) {
	case *exchange:
		return at.sessionOrStub(ctx)
	case *Session:
		return at
	}
	return nowhere(ctx)
}

// sessionOrStub returns the session, or one that makes the response fail.
func (ex *exchange) sessionOrStub(ctx context.Context) *Session {
	s, err := ex.load(ctx)
	if err == nil {
		return s
	}
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.session == nil {
		ex.session = ex.m.newStub(ex, ex, err)
	}
	return ex.session
}

// newStub makes a session of which nothing can be stored, because of the error.
func (m *Manager) newStub(ctx context.Context, ex *exchange, err error) *Session {
	s := m.newSession(ctx, ex)
	s.stub = err
	s.draft.Discard()
	return s
}

// nowhere makes a session that belongs to no manager.
func nowhere(ctx context.Context) *Session {
	m, _ := New(noStore{}, Options{Secrets: []Secret{NewSecret()}, SweepEvery: Never}) // which are right
	m.opts.Logger.ErrorContext(ctx, "session: From: wrap the handler in Manager.Preload", "err", ErrNoMiddleware)
	return m.newStub(ctx, nil, ErrNoMiddleware)
}

// noStore is the store of a session that belongs to no manager.
type noStore struct{}

func (noStore) Load(context.Context, string) (*Record, error) { return nil, ErrNoMiddleware }
func (noStore) Save(context.Context, *Record) error           { return ErrNoMiddleware }
func (noStore) Delete(context.Context, string) error          { return ErrNoMiddleware }
