package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/life"
)

// SetSecrets replaces the secrets of a running manager, at once: the first of them signs, all verify. What only a
// secret signed that is not among them is refused from now on. It serves programs that learn of new secrets by
// themselves; otherwise see Options.SecretSource.
//
// Where several managers share their sessions, none may sign with a secret that another does not know yet. Put a new
// secret behind the one in use first, in all of them, and then before it.
func (m *Manager) SetSecrets(secrets []Secret) error {
	err := checkSecrets(secrets)
	if m.opts.SecretSource != nil {
		err = errors.New("SetSecrets: Options.SecretSource says the secrets")
	}
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	ring := keys.NewRing(material(secrets))
	m.keys.Store(&ring)
	return nil
}

// readSecrets asks the source, and uses what it says. On an error the secrets in use stay.
func (m *Manager) readSecrets(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, life.StoreTimeout)
	defer cancel()
	secrets, err := m.opts.SecretSource(ctx)
	if err == nil {
		err = checkSecrets(secrets)
	}
	if err != nil {
		return fmt.Errorf("SecretSource: %w", err)
	}
	ring := m.source.Ring(material(secrets), m.now())
	if old := m.keys.Load(); old == nil || !slices.Equal(*old, ring) {
		m.keys.Store(&ring)
		m.opts.Logger.InfoContext(ctx, "session: the secrets have changed", "count", len(ring))
	}
	return nil
}

// watchSecrets reads the secrets for the first time, and then every minute until the manager is closed.
func (m *Manager) watchSecrets() error {
	if m.opts.SecretSource == nil {
		ring := keys.NewRing(material(m.opts.Secrets))
		m.keys.Store(&ring)
		return nil
	}
	if err := m.readSecrets(context.Background()); err != nil {
		return err
	}
	m.keeper.Start(m.rereadUntilClosed)
	return nil
}

func (m *Manager) rereadUntilClosed(ctx context.Context) {
	ticker := time.NewTicker(keys.ReadEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := m.readSecrets(ctx); err != nil {
			m.opts.Logger.ErrorContext(ctx, "session: the secrets in use stay", "err", err)
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
