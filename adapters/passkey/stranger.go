package passkey

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// cookieName finds out whether cookies of the manager can have the prefix that keeps sibling hosts from planting them.
func (p *Passkeys) cookieName() (string, error) {
	h := header{}
	if err := p.m.SetSigned(h, &http.Cookie{Name: "passkey", Path: "/"}); err != nil {
		return "", fmt.Errorf("passkey: the cookie for challenges: %w", err)
	}
	if strings.Contains(http.Header(h).Get("Set-Cookie"), "; Secure") {
		return "__Host-passkey", nil
	}
	return "passkey", nil
}

// header is a response that is only asked for its cookies.
type header http.Header

func (h header) Header() http.Header       { return http.Header(h) }
func (header) Write(b []byte) (int, error) { return len(b), nil }
func (header) WriteHeader(int)             {}

// storeTimeout is how long to wait for a store that hangs, the same as around a handler.
const storeTimeout = 5 * time.Second

// ownPlace reports whether challenges of a visitor belong into the visitor's session: there is one, or no cookie can
// lead to another.
func (v *visit) ownPlace() bool { return v.s.ID() != "" || v.p.programs || v.p.m.ByHeader(v.r) }

// keep keeps a challenge where its answer will look for it.
func (v *visit) keep(c challenge) error {
	if v.ownPlace() {
		v.p.put(v.s, c)
		return nil
	}
	err := v.keepApart(v.ticket(), c)
	if errors.Is(err, session.ErrEnded) { // the answer that told of a new ticket was lost
		err = v.keepApart("", c)
	}
	return err
}

// keepApart keeps a challenge in a session that has nothing else. A second tab shares it.
func (v *visit) keepApart(ticket string, c challenge) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.r.Context()), storeTimeout)
	defer cancel()
	s, err := v.p.m.Open(ctx, ticket)
	if err == nil {
		v.p.put(s, c)
		s.SetDeadline(v.p.m.Now().Add(lasts))
		err = s.Save(ctx)
	}
	if err != nil {
		return fmt.Errorf("passkey: keep a challenge: %w", err)
	}
	return v.send(s)
}

// ticket is that of the session with a stranger's challenges, "" for none.
func (v *visit) ticket() string {
	ticket, err := v.p.m.Signed(v.r, v.p.cookie)
	if err != nil { // there is no cookie, or it is not ours
		return ""
	}
	return ticket
}

// send sends the cookie that leads to the session of a challenge.
func (v *visit) send(s *session.Session) error {
	c := &http.Cookie{Name: v.p.cookie, Value: s.Token(), Path: "/", MaxAge: int(lasts / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode}
	if list := challenges.Or(s, nil); len(list) == 0 {
		c.MaxAge = -1
	}
	if len(v.p.opts.EmbeddedIn) > 0 {
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	if err := v.p.m.SetSigned(v.w, c); err != nil {
		return fmt.Errorf("passkey: the cookie for challenges: %w", err)
	}
	return nil
}

// take takes the challenge that an answer is to.
func (v *visit) take(what purpose, text string) (challenge, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.r.Context()), storeTimeout)
	defer cancel()
	if _, i := v.p.find(v.s, what, text); i >= 0 {
		return v.taken(v.p.take(ctx, v.s, what, text))
	}
	if v.s.User() != "" { // a stranger's challenge is for strangers
		return v.taken(challenge{}, errGone)
	}
	apart, err := v.p.m.Open(ctx, v.ticket())
	if err != nil {
		return challenge{}, fmt.Errorf("passkey: take a challenge: %w", err)
	}
	c, err := v.p.take(ctx, apart, what, text)
	if err != nil {
		return v.taken(c, err)
	}
	return c, v.send(apart)
}

// taken is an error as the visitor is told it.
func (v *visit) taken(c challenge, err error) (challenge, error) {
	if errors.Is(err, errGone) {
		err = refusal{http.StatusConflict, "This took too long, or was answered already. Please try again.",
			"passkey: the answer is to no challenge that waits in this session: it was used, is older than five " +
				"minutes, or belongs to another session"}
	}
	return c, err
}
