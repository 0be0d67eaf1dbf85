package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// secretsEvery is how often Options.SecretSource is asked.
	secretsEvery = time.Minute
	// secretSettles is how long a new first secret is known before it signs: every other node has asked its source by then.
	secretSettles = 2*secretsEvery + 10*time.Second
)

// rotation turns the lists of a source of secrets into keyrings.
type rotation struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*knownSecret
}

type knownSecret struct {
	key   *key
	since time.Time
}

// SetSecrets replaces the secrets of a running manager, at once: the first of them signs, all verify. What only a secret
// signed that is not among them is refused from now on. It serves programs that learn of new secrets by themselves;
// otherwise see Options.SecretSource.
//
// Where several managers share their sessions, none may sign with a secret that another does not know yet. Put a new secret
// behind the one in use first, in all of them, and then before it.
func (m *Manager) SetSecrets(secrets []Secret) error {
	err := checkSecrets(secrets)
	if m.opts.SecretSource != nil {
		err = errors.New("SetSecrets: Options.SecretSource says the secrets")
	}
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	ring := newKeyring(material(secrets))
	m.keys.Store(&ring)
	return nil
}

// readSecrets asks the source, and uses what it says. On an error the secrets in use stay.
func (m *Manager) readSecrets(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	secrets, err := m.opts.SecretSource(ctx)
	if err == nil {
		err = checkSecrets(secrets)
	}
	if err != nil {
		return fmt.Errorf("SecretSource: %w", err)
	}
	ring := m.source.ring(material(secrets), m.now())
	if old := m.keys.Load(); old == nil || !slices.Equal(*old, ring) {
		m.keys.Store(&ring)
		m.opts.Logger.InfoContext(ctx, "session: the secrets have changed", "count", len(ring))
	}
	return nil
}

// ring keeps the order given, but for a first secret that is new here: until it has settled, an older one signs.
func (s *rotation) ring(secrets [][]byte, now time.Time) keyring {
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
	ring := keyring{list[signer].key}
	for i, k := range list {
		if i != signer {
			ring = append(ring, k.key)
		}
	}
	return ring
}

// signing is the first secret that has settled; where none has, the one that is known for longest.
func signing(list []*knownSecret, now time.Time) int {
	oldest := 0
	for i, k := range list {
		if now.Sub(k.since) >= secretSettles {
			return i
		}
		if k.since.Before(list[oldest].since) {
			oldest = i
		}
	}
	return oldest
}

// watchSecrets reads the secrets for the first time, and then every minute until the manager is closed.
func (m *Manager) watchSecrets() error {
	if m.opts.SecretSource == nil {
		ring := newKeyring(material(m.opts.Secrets))
		m.keys.Store(&ring)
		return nil
	}
	if err := m.readSecrets(context.Background()); err != nil {
		return err
	}
	m.running.Add(1)
	go m.rereadUntilClosed()
	return nil
}

func (m *Manager) rereadUntilClosed() {
	defer m.running.Done()
	ticker := time.NewTicker(secretsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-m.life.Done():
			return
		case <-ticker.C:
		}
		if err := m.readSecrets(m.life); err != nil {
			m.opts.Logger.ErrorContext(m.life, "session: the secrets in use stay", "err", err)
		}
	}
}

// checkSource checks that there is one place from which secrets come.
func (o Options) checkSource() error {
	switch {
	case o.SecretSource == nil:
		return checkSecrets(o.Secrets)
	case len(o.Secrets) > 0:
		return errors.New("Secrets: leave it empty, or SecretSource: the source says all of them")
	}
	return nil
}
