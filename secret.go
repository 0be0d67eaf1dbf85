package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/coatcheck/session/internal/keys"
)

// Secret is key material: at least 32 bytes of randomness. It prints, logs and encodes as "[secret]".
type Secret []byte

// NewSecret returns 32 random bytes.
func NewSecret() Secret {
	s := make(Secret, keys.MinSecret)
	_, _ = rand.Read(s) // never fails: crypto/rand ends the program first
	return s
}

// ParseSecrets reads secrets written as "base64:…,base64:…", newest first, in standard or URL-safe base64, with or
// without padding. White space around them is ignored. The error says which one is wrong and never contains it.
func ParseSecrets(text string) ([]Secret, error) {
	list, err := keys.ParseSecrets(text)
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	secrets := make([]Secret, len(list))
	for i, s := range list {
		secrets[i] = s
	}
	return secrets, nil
}

// Format prints "[secret]", whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// LogValue logs "[secret]".
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText encodes "[secret]".
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

func checkSecrets(secrets []Secret) error { return keys.CheckSecrets(material(secrets)) }

// material is what keys are derived from.
func material(secrets []Secret) [][]byte {
	out := make([][]byte, len(secrets))
	for i, s := range secrets {
		out[i] = s
	}
	return out
}

func cloneSecrets(secrets []Secret) []Secret {
	out := make([]Secret, len(secrets))
	for i, s := range secrets {
		out[i] = bytes.Clone(s)
	}
	return out
}

// Pseudonyms returns what to keep in place of a name that nobody may read, such as in a store: a keyed hash of 32 bytes
// for each secret, that of the newest one first. Store the first, and look for all of them. All nodes with the same
// secrets agree, and with other secrets a name has other pseudonyms. Purpose keeps uses apart: the same name has
// another pseudonym for each purpose.
func (m *Manager) Pseudonyms(purpose, name string) [][]byte {
	return m.ring().Pseudonyms(purpose, name)
}

// SetSecrets replaces the secrets of a running manager, at once: the first of them signs, and all of them verify.
// Anything signed only by a secret that is not among them is refused from now on. It is for programs that fetch new
// secrets by themselves; otherwise see Options.SecretSource.
//
// If several managers share their sessions, none may sign with a secret that another does not know yet. In all of them,
// first put a new secret behind the one in use, and then in front of it.
func (m *Manager) SetSecrets(secrets []Secret) error {
	err := checkSecrets(secrets)
	if m.opts.SecretSource != nil {
		err = errors.New("SetSecrets: Options.SecretSource gives the secrets")
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
	ctx, cancel := context.WithTimeout(ctx, keys.ReadWithin)
	defer cancel()
	secrets, err := m.opts.SecretSource(ctx)
	if err == nil {
		err = checkSecrets(secrets)
	}
	if err != nil {
		return fmt.Errorf("SecretSource: %w", err)
	}
	ring := m.source.Ring(material(secrets), m.now())
	if old := m.keys.Swap(&ring); old != nil && !slices.Equal(*old, ring) {
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
	m.keeper.Every(keys.ReadEvery, func(ctx context.Context) {
		if err := m.readSecrets(ctx); err != nil {
			m.opts.Logger.ErrorContext(ctx, "session: the secrets in use stay", "err", err)
		}
	})
	return nil
}

// checkSource checks that there is one place from which secrets come.
func (o Options) checkSource() error {
	switch {
	case o.SecretSource == nil:
		return checkSecrets(o.Secrets)
	case len(o.Secrets) > 0:
		return errors.New("Secrets: leave them empty or leave out SecretSource, which returns all of them")
	}
	return nil
}
