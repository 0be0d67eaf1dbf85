package passkey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/envelope"
)

// purpose is what a challenge is for.
type purpose string

const (
	toRegister purpose = "register"
	toSignIn   purpose = "sign-in"
	toConfirm  purpose = "confirm"
)

// challenge is one that waits for its answer.
type challenge struct {
	For  purpose `json:"f"`
	Text string  `json:"c"`
	User string  `json:"u,omitempty"` // that it was made for; "": whoever answers
	Made int64   `json:"m"`           // in microseconds since 1970
	Data []byte  `json:"d"`           // the library's but for Text, as JSON, whatever the codec of the site
}

// challenges are those of a session: the library's own data, which go with the next Login.
const challenges = session.Key[[]challenge](envelope.LoginPrefix + "passkey")

const (
	lasts     = 5 * time.Minute
	clockSkew = time.Minute // between two nodes
	maxOpen   = 8           // tabs that can wait at once

	// maxCarried is how many bytes the challenges before the newest may have where all is in a cookie. A stranger's is
	// encoded twice.
	maxCarried = 512
)

func newChallenge(what purpose, name string, data *webauthn.SessionData, now time.Time) (challenge, error) {
	kept := *data
	kept.Challenge, kept.CredParams = "", nil // of a registration they are always the same
	text, err := json.Marshal(kept)
	if err != nil {
		return challenge{}, fmt.Errorf("passkey: keep a challenge: %w", err)
	}
	return challenge{For: what, Text: data.Challenge, User: name, Made: now.UnixMicro(), Data: text}, nil
}

// holds reports whether a challenge can be answered now.
func (c challenge) holds(now time.Time) bool {
	age := now.Sub(time.UnixMicro(c.Made))
	return age < lasts && age >= -clockSkew
}

// data is what the library kept.
func (c challenge) data() (data webauthn.SessionData, err error) {
	if err = json.Unmarshal(c.Data, &data); err != nil {
		err = fmt.Errorf("passkey: read a challenge: %w", err)
	}
	data.Challenge = c.Text
	if c.For == toRegister {
		data.CredParams = webauthn.CredentialParametersDefault()
	}
	return data, err
}

// put adds a challenge to those of a session.
func (p *Passkeys) put(s *session.Session, c challenge) {
	now := p.m.Now()
	challenges.Update(s, func(list []challenge) []challenge {
		list = slices.DeleteFunc(slices.Clone(list), func(c challenge) bool { return !c.holds(now) })
		for len(list) >= maxOpen || p.travels && size(list) > maxCarried {
			list = list[1:]
		}
		return append(list, c)
	})
}

// size is about how many bytes challenges take, but for what they all have.
func size(list []challenge) (n int) {
	for _, c := range list {
		n += len(c.Text) + len(c.User) + len(c.Data)
	}
	return n
}

// find returns where the challenge is that an answer is to, -1 for nowhere.
func (p *Passkeys) find(s *session.Session, what purpose, text string) ([]challenge, int) {
	list, now := challenges.Or(s, nil), p.m.Now()
	return list, slices.IndexFunc(list, func(c challenge) bool {
		return c.For == what && c.Text == text && c.holds(now)
	})
}

// errGone ends the change of a session in which there is no such challenge.
var errGone = errors.New("passkey: no such challenge waits in this session")

// take takes a challenge away from a session, so that no other request has it. A session that travels with its client
// is in every copy of the cookie: only a new id makes the others useless.
func (p *Passkeys) take(ctx context.Context, s *session.Session, what purpose, text string) (c challenge, err error) {
	err = s.Atomic(ctx, func(s *session.Session) error {
		list, i := p.find(s, what, text)
		if i < 0 {
			return errGone
		}
		c = list[i]
		challenges.Set(s, slices.Delete(slices.Clone(list), i, i+1))
		if p.travels {
			s.Regenerate()
		}
		return nil
	})
	switch {
	case errors.Is(err, errGone) || errors.Is(err, session.ErrEnded):
		return challenge{}, errGone
	case err != nil:
		return challenge{}, fmt.Errorf("passkey: take a challenge: %w", err)
	}
	return c, nil
}
