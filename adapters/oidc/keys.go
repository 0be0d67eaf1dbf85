package oidcsession

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	fetchEvery   = 5 * time.Second  // at most
	fetchTimeout = 10 * time.Second // of one fetch
	maxKeys      = 1 << 20          // bytes of a key set
)

// errNoKeys is that the provider does not say which its keys are, so that nobody knows whether a token is good.
var errNoKeys = errors.New("the keys of the provider cannot be fetched")

// keySet is the keys at an address. They are fetched anew when a token comes that none of them has signed, but not for
// each token that a stranger makes up, as oidc.RemoteKeySet does.
type keySet struct {
	address string
	client  *http.Client // nil: one without special settings
	now     func() time.Time

	keys atomic.Pointer[oidc.RemoteKeySet] // nil: none yet

	mu  sync.Mutex // held while keys are fetched: whoever needs newer ones waits for the same fetch
	at  time.Time  // when the last fetch ended; zero: there was none
	err error      // of the last fetch
}

// VerifySignature is that of oidc.KeySet. The error wraps errNoKeys if newer keys were needed and could not be had.
func (k *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	if keys := k.keys.Load(); keys != nil {
		if payload, err := keys.VerifySignature(ctx, jwt); err == nil {
			return payload, nil
		}
	}
	keys, err := k.newest()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoKeys, err)
	}
	return keys.VerifySignature(ctx, jwt)
}

// newest fetches the keys, unless that was done a moment ago.
func (k *keySet) newest() (*oidc.RemoteKeySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if since := k.now().Sub(k.at); k.at.IsZero() || since < 0 || since >= fetchEvery {
		var body []byte
		if body, k.err = k.fetch(); k.err == nil {
			k.keys.Store(parsed(k.address, body))
		}
		k.at = k.now()
	}
	return k.keys.Load(), k.err
}

func (k *keySet) fetch() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.address, nil)
	if err != nil {
		return nil, err
	}
	client := k.client
	if client == nil {
		client = &http.Client{}
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys+1))
	var set struct{ Keys []json.RawMessage }
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the status is %d", resp.StatusCode)
	case len(body) > maxKeys || json.Unmarshal(body, &set) != nil || set.Keys == nil:
		return nil, errors.New("the answer is no key set")
	}
	return body, nil
}

// parsed is the keys of a key set. go-oidc reads one only where it fetches it, and passes over keys that it does not
// know.
func parsed(address string, body []byte) *oidc.RemoteKeySet {
	client := &http.Client{Transport: answer(body)}
	return oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), client), address)
}

// answer answers every request.
type answer []byte

// RoundTrip is that of http.RoundTripper.
func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(a)),
	}, nil
}
