package cookiestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session"
)

// maxChunks is where the limits of servers and proxies begin: many accept 8 KiB of cookies, few more than 32.
const maxChunks = 8

// Options configure a Store. The zero value is fine.
type Options struct {
	// MaxChunks is how many cookies of 4096 bytes one session may fill. 0: 1. At most 8. All of them travel with every
	// request, and many proxies refuse more than 8 KiB of headers. If you lower MaxChunks, sessions that need more
	// chunks are lost.
	MaxChunks int
	// Compress makes sessions smaller before they are sealed. The length of the cookie then depends on the contents of
	// the session: somebody who can put text of their choice into it, and sees how long the cookie becomes, can guess a
	// secret beside that text, byte by byte (CRIME, BREACH). Do not use it if a session holds secrets, such as tokens
	// of other services or CSRF tokens, beside anything that a stranger can choose.
	Compress bool
	// Revocations is a store that remembers which sessions were ended. It must not forget: New refuses a
	// [session.Forgetter] that says it may, such as a memstore with a bound. nil: nothing is remembered, and a copy of
	// a cookie works until its deadline.
	Revocations session.Store
}

var (
	_ session.Store      = (*Store)(nil)
	_ session.Forgetter  = (*Store)(nil)
	_ session.Carrier    = (*Store)(nil)
	_ session.LocalStore = (*Store)(nil)
)

// Store leaves the records to the clients. It is safe for concurrent use, by one manager or by several.
type Store struct {
	chunks   int
	compress bool
	retired  session.Store // nil: nothing is remembered
}

// New returns a store for one or more managers. The error names a wrong option.
func New(opts Options) (*Store, error) {
	if opts.MaxChunks < 0 || opts.MaxChunks > maxChunks {
		return nil, fmt.Errorf("cookiestore: MaxChunks: %d is not between 0 and %d", opts.MaxChunks, maxChunks)
	}
	if err := checkRevocations(opts.Revocations); err != nil {
		return nil, err
	}
	return &Store{chunks: max(opts.MaxChunks, 1), compress: opts.Compress, retired: opts.Revocations}, nil
}

// checkRevocations refuses a store from which a copied cookie could get its session back.
func checkRevocations(store session.Store) error {
	if store == nil {
		return nil
	}
	why := session.Forgets(store)
	if _, carries := store.(session.Carrier); carries && why == "" {
		why = "leaves records to the client"
	}
	if why != "" {
		return fmt.Errorf("cookiestore: Revocations: %T %s, so that a session that was ended could come back; "+
			"use a store that keeps every record", store, why)
	}
	return nil
}

// Carries tells the manager that records travel with the client, in how many cookies at most, and where retired ids are
// remembered.
func (s *Store) Carries() (cookies int, retired session.Store) { return s.chunks, s.retired }

// Forgets says that nothing is kept here without Options.Revocations.
func (s *Store) Forgets() string {
	if s.retired == nil {
		return "keeps nothing (cookiestore.Options.Revocations)"
	}
	return ""
}

// Local reports whether nothing here waits for another machine.
func (s *Store) Local() bool {
	local, ok := s.retired.(session.LocalStore)
	return s.retired == nil || ok && local.Local()
}

// Load returns what became of a retired id. Nothing is known here of any other: session.ErrNotFound.
func (s *Store) Load(ctx context.Context, id string) (*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("cookiestore: load: %w", err)
	}
	if s.retired == nil {
		return nil, fmt.Errorf("cookiestore: %w", session.ErrNotFound)
	}
	rec, err := s.retired.Load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("cookiestore: revocations: %w", err)
	}
	if rec.Kind == session.KindLive { // of another manager on the same store, by an unlikely accident
		return nil, fmt.Errorf("cookiestore: %w", session.ErrNotFound)
	}
	return rec, nil
}

// Save remembers a retired id. A live record is left to the client, unless its id was retired: session.ErrConflict.
func (s *Store) Save(ctx context.Context, rec *session.Record) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("cookiestore: save: %w", err)
	}
	switch {
	case s.retired == nil || rec.Kind == session.KindLive && rec.Version == 0:
		return nil
	case rec.Kind == session.KindLive:
		return s.stillLive(ctx, rec.ID)
	}
	if err := s.retired.Save(ctx, rec); err != nil {
		return fmt.Errorf("cookiestore: revocations: %w", err)
	}
	return nil
}

func (s *Store) stillLive(ctx context.Context, id string) error {
	switch _, err := s.Load(ctx, id); {
	case err == nil:
		return fmt.Errorf("cookiestore: save: the id was retired: %w", session.ErrConflict)
	case errors.Is(err, session.ErrNotFound):
		return nil
	default:
		return err
	}
}

// Delete has nothing to do: live records are not here, and a retired id stays retired.
func (s *Store) Delete(ctx context.Context, _ string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("cookiestore: delete: %w", err)
	}
	return nil
}
