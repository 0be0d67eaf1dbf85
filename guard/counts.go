package guard

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

// counts is where strangers are counted.
type counts interface {
	// change replaces a bucket by what fn makes of it, unless fn reports that nothing is to be kept. fn may change the
	// bucket that it is given, and may run more than once: the last run counts. After an error it may still run.
	change(ctx context.Context, at int, fn func(bucket) (bucket, bool)) error
}

// memory counts in this process.
type memory struct {
	mu      sync.Mutex
	buckets [buckets]bucket
}

func (m *memory) change(_ context.Context, at int, fn func(bucket) (bucket, bool)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.buckets[at], _ = fn(m.buckets[at])
	return nil
}

// shelf counts in a store, in a record for each bucket.
type shelf struct {
	name string
	in   *ledger
	now  func() time.Time
}

func (s *shelf) change(ctx context.Context, at int, fn func(bucket) (bucket, bool)) error {
	id := countID(s.name, "\x00bucket "+strconv.Itoa(at)) // no user has such a name
	return s.in.change(ctx, id, func(rec *session.Record) *session.Record {
		b, keep := fn(bucketOf(rec.Data))
		if !keep {
			return nil
		}
		now := s.now()
		return counted(rec, now, max(b.end(), now.UnixMicro()), b.bytes())
	})
}

// countsOf is where the limit of that name counts strangers: in the store, or, if that is nil, in the memory that all
// limits of the name share.
func (g *Guard) countsOf(name string, store session.Store) counts {
	if store != nil {
		return &shelf{name, newLedger(store), g.m.Now}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.memories[name] == nil {
		g.memories[name] = &memory{}
	}
	return g.memories[name]
}

// place is where the count of a key is: the names of accounts and addresses are in no store.
type place struct {
	bucket int
	who    who
}

func (g *Guard) place(name, key string) place {
	sum := g.m.Pseudonyms("guard limit "+name, key)[0]
	return place{int(binary.BigEndian.Uint16(sum[len(who{}):])) % buckets, who(sum)}
}

// countID looks like the id of a session. No ticket has this hash, so that the record opens nothing.
func countID(name, of string) string {
	sum := sha256.Sum256([]byte("coatcheck rate\x00" + name + "\x00" + of))
	return hex.EncodeToString(sum[:])
}
