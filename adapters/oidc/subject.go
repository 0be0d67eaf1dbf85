package oidcsession

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// errNobodyKnown is that a subject is none of the provider's, or is named in a way that leads to no session.
var errNobodyKnown = errors.New("its subject is of another issuer, or of a format that is not supported")

// subject is a subject identifier of RFC 9493, or a complex one of the Shared Signals Framework.
type subject struct {
	Format  string          `json:"format"`
	Issuer  string          `json:"iss"`
	Subject string          `json:"sub"`
	ID      string          `json:"id"`
	Email   string          `json:"email"`
	Session json.RawMessage `json:"session"`
	User    json.RawMessage `json:"user"`
}

// subject is by what the sessions of a subject are found; value is "" for none. An opaque subject is a session id where
// the event is about a session, and otherwise a sub.
func (r *receiver) subject(ctx context.Context, raw json.RawMessage, ofSession bool) (kind, value string, err error) {
	var s subject
	if !isObject(raw) || json.Unmarshal(raw, &s) != nil {
		return "", "", errSubject
	}
	switch {
	case isObject(s.Session): // complex, whose format early drafts left out
		return r.simple(ctx, s.Session, true)
	case isObject(s.User):
		return r.simple(ctx, s.User, false)
	case s.Format == "complex":
		return "", "", nil
	}
	return r.simple(ctx, raw, ofSession)
}

func (r *receiver) simple(ctx context.Context, raw json.RawMessage, ofSession bool) (kind, value string, err error) {
	var s subject
	if json.Unmarshal(raw, &s) != nil {
		return "", "", errSubject
	}
	switch s.Format {
	case "opaque":
		return kindOf(ofSession), s.ID, needed(s.ID)
	case "iss_sub":
		if s.Issuer != r.issuer {
			return "", "", needed(s.Issuer)
		}
		return bySubject, s.Subject, needed(s.Subject)
	case "email":
		value, err = r.byEmail(ctx, s.Email)
		return bySubject, value, err
	}
	return "", "", needed(s.Format)
}

func kindOf(ofSession bool) string {
	if ofSession {
		return bySession
	}
	return bySubject
}

// needed refuses a subject without what its format wants.
func needed(member string) error {
	if member == "" {
		return errSubject
	}
	return nil
}

func (r *receiver) byEmail(ctx context.Context, address string) (string, error) {
	if err := needed(address); err != nil || r.from.Email == nil {
		return "", err
	}
	value, err := r.from.Email(ctx, address)
	if err != nil {
		return "", fmt.Errorf("oidcsession: Transmitter.Email: %w", err)
	}
	return value, nil
}
