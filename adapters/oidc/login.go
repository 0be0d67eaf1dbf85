package oidcsession

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/envelope"
)

// ErrLoggedOut is returned by Links.Login when the provider has ended the sign-in already. Nobody is signed in; send
// the visitor to the provider again.
var ErrLoggedOut = errors.New("oidcsession: the provider has ended this sign-in already; begin a new one")

// ErrTooOld is returned by Links.Login for an ID token that was issued longer ago than Options.SignInWithin: whether
// its sign-in has ended since is no longer known. Send the visitor to the provider again.
var ErrTooOld = errors.New("oidcsession: the ID token is older than Options.SignInWithin; begin a new sign-in")

// Link is the sign-in at the provider to which a session is linked.
type Link struct {
	Issuer    string    `json:"iss"`
	Client    string    `json:"aud"`
	Subject   string    `json:"sub"`
	SessionID string    `json:"sid,omitempty"` // "" where the provider names none
	IssuedAt  time.Time `json:"iat"`           // of the ID token, by the provider's clock
}

// linked is the link in a session: the library's own data, which go with the next Login.
const linked = session.Key[Link](envelope.LoginPrefix + "oidc")

// Of returns the sign-in to which a session is linked, and false for a session that is linked to none, such as that of
// somebody who has since signed in some other way.
func Of(s *session.Session) (Link, bool) { return linked.Get(s) }

// Login signs the user in, as Session.TryLogin does, stores the session at once, and links it to the sign-in for which
// the ID token was issued. The site must have verified the token, nonce included; user is the account of the site that
// belongs to it. LoginAt is the auth_time of the token, or now if it has none, and its amr become the factors, as far
// as session.Factor accepts them. The site's own options are applied after those.
//
// After an error nobody is signed in by this call. It is ErrLoggedOut, ErrTooOld, one of Session.TryLogin or
// Session.Atomic, or wraps session.ErrUnavailable. Only if the store fails after it has stored the session, and keeps
// failing, the visitor may be signed in nonetheless, as after any lost answer; a logout ends that session, too.
//
// The session lasts as long as its lifetime says, but no longer than Options.LinkFor: its deadline is set to that, so
// that a Confirm does not prolong it. Do not set a later one. A sign-in costs four loads and two saves more than the
// Login alone, and waits 40 seconds at most for a store that hangs.
func (l *Links) Login(ctx context.Context, s *session.Session, user string, token *oidc.IDToken,
	opts ...session.LoginOption) error {
	ctx, cancel := context.WithTimeout(ctx, within) // nothing else ends that of a request whose visitor waits
	defer cancel()
	link, own, err := l.read(token)
	if err != nil {
		return err
	}
	if err := l.mayBe(ctx, user); err != nil {
		return err
	}
	if err := l.join(ctx, link, user); err != nil {
		return err
	}
	if err := l.signIn(ctx, s, user, link, slices.Concat(own, opts)); err != nil {
		return err
	}
	// A logout that came since has looked for sessions either after this one was stored, or before: then it is found
	// here, even when the visitor has hung up. Any later logout finds the session.
	look, end := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer end()
	if err := l.passes(look, link); err != nil {
		s.Logout()
		_ = s.Save(look) // the end of the request tries again
		return err
	}
	return nil
}

// mayBe refuses names that no user has, before one is noted. It asks a session that is never stored.
func (l *Links) mayBe(ctx context.Context, user string) error {
	s, err := l.m.Open(ctx, "")
	if err != nil {
		return err
	}
	return s.TryLogin(user)
}

// signIn stores the session with its Login, or leaves it as it was. A session that has ended meanwhile is in nobody's
// way: the second attempt begins afresh.
func (l *Links) signIn(ctx context.Context, s *session.Session, user string, link Link,
	opts []session.LoginOption) (err error) {
	for range 2 {
		err = s.Atomic(ctx, func(s *session.Session) error {
			end := l.m.Now().Add(l.opts.LinkFor)
			if at := ends(s, user, opts); !at.IsZero() && at.Before(end) {
				end = at
			}
			// What comes with a Login ends with the next option that corrects it, so the link is the last.
			return s.TryLogin(user, append(slices.Clip(opts), func(s *session.Session) {
				s.SetDeadline(end)
				linked.Set(s, link)
			})...)
		})
		if !errors.Is(err, session.ErrEnded) {
			return err
		}
	}
	return err
}

// ends is when the lifetime or deadline of a sign-in with these options is over, zero for never. It is tried, and
// refused at the end, which leaves the session as it is.
func ends(s *session.Session, user string, opts []session.LoginOption) (at time.Time) {
	_ = s.TryLogin(user, append(slices.Clip(opts), func(s *session.Session) {
		s.SetIdleTimeout(session.Never)
		at = s.ExpiresAt()
		s.SetDeadline(time.Unix(0, 0))
	})...)
	return at
}

// read makes the link of an ID token, and the options that it means for a Login.
func (l *Links) read(token *oidc.IDToken) (Link, []session.LoginOption, error) {
	var claims struct {
		SessionID string   `json:"sid"`
		SignedIn  float64  `json:"auth_time"`
		Methods   []string `json:"amr"`
	}
	if token == nil || token.Claims(&claims) != nil {
		return Link{}, nil, errors.New("oidcsession: Login: there is no ID token, or its sid, auth_time or amr are " +
			"not what OpenID Connect says; verify it with the provider's verifier first")
	}
	now := l.m.Now()
	switch age := now.Sub(token.IssuedAt); {
	case token.Issuer != l.issuer || !slices.Contains(token.Audience, l.client) || token.Subject == "":
		return Link{}, nil, errors.New("oidcsession: Login: the ID token is of another provider, for another client, " +
			"or names nobody")
	case age < -clockSkew:
		return Link{}, nil, errors.New("oidcsession: Login: the ID token was issued in the future; see to the clocks")
	case age > l.opts.SignInWithin+clockSkew:
		return Link{}, nil, ErrTooOld
	}
	link := Link{l.issuer, l.client, token.Subject, claims.SessionID, token.IssuedAt.UTC()}
	opts := []session.LoginOption{session.Factor(factors(claims.Methods)...), func(s *session.Session) {
		s.SetDeadline(time.Time{}) // that of an earlier sign-in is over with it
	}}
	if claims.SignedIn >= 1 { // less is what providers send that do not know
		seconds := int64(min(claims.SignedIn, 1e11)) // all above is the future as well, which LoginAt refuses
		opts = append(opts, session.LoginAt(time.Unix(seconds, 0)))
	}
	return link, opts, nil
}

// factors are those of the methods of a provider that can be factors of a session. Others, such as addresses, are left
// out.
func factors(methods []string) (names []string) {
	for _, name := range methods {
		strange := func(c rune) bool {
			return (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("_-.:", c)
		}
		if name == "" || len(name) > 32 || strings.ContainsFunc(name, strange) || slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
	}
	return names[:min(len(names), 16)]
}
