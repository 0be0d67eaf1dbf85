package keys

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// ReadEvery is how often every node asks its source of secrets.
	ReadEvery = time.Minute
	// ReadWithin is how long a source may take: one that runs a program, or asks a vault, is not quick.
	ReadWithin = 30 * time.Second
	// lag is how much later the source of one node may say what that of another says: a file that Kubernetes mounts
	// follows within two minutes.
	lag = 2 * time.Minute
	// settles is how long a new first secret is known before it signs: every other node has an answer by then that
	// contains it.
	settles = lag + ReadEvery + ReadWithin + 10*time.Second
)

// Rotation turns the lists that a source of secrets gives into rings, each in the light of those before it. The zero
// value has seen none. It is safe for concurrent use.
type Rotation struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*knownSecret
}

type knownSecret struct {
	key   *key
	early *key // the same, while another one signs before it; nil: not needed so far
	since time.Time
}

// waiting is the key in a ring in which it does not sign yet.
func (k *knownSecret) waiting() *key {
	if k.early == nil {
		early := *k.key
		early.early = true
		k.early = &early
	}
	return k.early
}

// Ring keeps the order given, but for a first secret that is new here: until it has settled, an older one signs. A
// secret that was in the list before keeps its keys, so that equal rings hold the same ones. There is at least one.
func (s *Rotation) Ring(secrets [][]byte, now time.Time) Ring {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.known
	s.known = make(map[[sha256.Size]byte]*knownSecret, len(secrets))
	list := make([]*knownSecret, len(secrets))
	for i, secret := range secrets {
		sum := sha256.Sum256(secret)
		if list[i] = before[sum]; list[i] == nil {
			list[i] = &knownSecret{key: newKey(secret), since: now}
			// Nobody knows since when the other nodes have the first one, but they have the others.
			if before == nil && i > 0 {
				list[i].since = time.Time{}
			}
		}
		s.known[sum] = list[i]
	}
	signer := signing(list, now)
	ring := Ring{list[signer].key}
	for _, k := range list[:signer] {
		ring = append(ring, k.waiting())
	}
	for _, k := range list[signer+1:] {
		ring = append(ring, k.key)
	}
	return ring
}

// signing is the first secret that has settled; where none has, the one that is known for longest.
func signing(list []*knownSecret, now time.Time) int {
	oldest := 0
	for i, k := range list {
		if now.Sub(k.since) >= settles {
			return i
		}
		if k.since.Before(list[oldest].since) {
			oldest = i
		}
	}
	return oldest
}
