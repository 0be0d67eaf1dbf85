package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"
	"sync"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/coatcheck/session/adapters/passkey"
)

// accounts are those of the site. Yours are in a database: a table of handles, unique, and one of credentials, whose ID
// is unique, with the rest as JSON.
type accounts struct {
	mu   sync.Mutex
	list map[string]passkey.Account // by name
}

var _ passkey.Accounts = (*accounts)(nil)

func newAccounts() *accounts { return &accounts{list: map[string]passkey.Account{}} }

// open opens an account, unless there is one.
func (a *accounts) open(user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.list[user]; ok {
		return
	}
	handle := make([]byte, 32)
	_, _ = rand.Read(handle) // it never fails
	a.list[user] = passkey.Account{User: user, Handle: handle}
}

func (a *accounts) Account(_ context.Context, user string) (passkey.Account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	account, ok := a.list[user]
	if !ok {
		return passkey.Account{}, passkey.ErrNoAccount
	}
	account.Credentials = slices.Clone(account.Credentials)
	return account, nil
}

func (a *accounts) AccountOf(ctx context.Context, handle []byte) (passkey.Account, error) {
	return a.Account(ctx, a.name(func(account passkey.Account) bool { return bytes.Equal(account.Handle, handle) }))
}

func (a *accounts) Add(_ context.Context, user string, c webauthn.Credential) error {
	if a.name(func(account passkey.Account) bool { return find(account, c.ID) >= 0 }) != "" {
		return passkey.ErrTaken // a database has a unique index instead, for two can come at once
	}
	return a.change(user, func(account *passkey.Account) error {
		account.Credentials = append(slices.Clone(account.Credentials), c)
		return nil
	})
}

func (a *accounts) Update(_ context.Context, user string, c webauthn.Credential) error {
	return a.change(user, func(account *passkey.Account) error {
		i := find(*account, c.ID)
		if i < 0 {
			return passkey.ErrNoAccount
		}
		c.Authenticator.SignCount = max(c.Authenticator.SignCount, account.Credentials[i].Authenticator.SignCount)
		account.Credentials = slices.Clone(account.Credentials)
		account.Credentials[i] = c
		return nil
	})
}

func (a *accounts) change(user string, fn func(*passkey.Account) error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	account, ok := a.list[user]
	if !ok {
		return passkey.ErrNoAccount
	}
	err := fn(&account)
	a.list[user] = account
	return err
}

// name is the name of the account that is meant, "" for none.
func (a *accounts) name(meant func(passkey.Account) bool) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, account := range a.list {
		if meant(account) {
			return name
		}
	}
	return ""
}

func find(a passkey.Account, id []byte) int {
	return slices.IndexFunc(a.Credentials, func(c webauthn.Credential) bool { return bytes.Equal(c.ID, id) })
}
