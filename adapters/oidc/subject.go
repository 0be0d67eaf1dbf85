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

// subject is how a subject names what the event is about, nothing for one that leads to no session. An opaque subject
// is a session id where the event is about a session, and otherwise a sub.
func (r *receiver) subject(ctx context.Context, raw json.RawMessage, ofSession bool) (named, error) {
	var s subject
	if !isObject(raw) || json.Unmarshal(raw, &s) != nil {
		return named{}, errSubject
	}
	switch {
	case isObject(s.Session): // complex, whose format early drafts left out
		return r.both(ctx, s)
	case isObject(s.User):
		return r.simple(ctx, s.User, false)
	case s.Format == "complex":
		return named{}, nil
	}
	return r.simple(ctx, raw, ofSession)
}

// both is a session, and the user of it if that is told as well. A user who cannot be found spares no session.
func (r *receiver) both(ctx context.Context, s subject) (named, error) {
	who, err := r.simple(ctx, s.Session, true)
	if err != nil || who.sid == "" || !isObject(s.User) {
		return who, err
	}
	user, err := r.simple(ctx, s.User, false)
	if err != nil && !errors.Is(err, errSubject) {
		return named{}, err
	}
	who.sub = user.sub
	return who, nil
}

func (r *receiver) simple(ctx context.Context, raw json.RawMessage, ofSession bool) (named, error) {
	var s subject
	if json.Unmarshal(raw, &s) != nil {
		return named{}, errSubject
	}
	switch s.Format {
	case "opaque":
		if ofSession {
			return named{sid: s.ID}, needed(s.ID)
		}
		return named{sub: s.ID}, needed(s.ID)
	case "iss_sub":
		if s.Issuer != r.issuer {
			return named{}, needed(s.Issuer)
		}
		return named{sub: s.Subject}, needed(s.Subject)
	case "email":
		sub, err := r.byEmail(ctx, s.Email)
		return named{sub: sub}, err
	}
	return named{}, needed(s.Format)
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
