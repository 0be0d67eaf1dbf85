package devicebound

import (
	"errors"

	"github.com/coatcheck/session/internal/dbsc"
)

// refresh gives out a bound cookie for a proof of the key that the session has, or the challenge for one.
func (b *Binder) refresh(x *exchange, name string) {
	of, err := read(x.s)
	switch {
	case x.s.Moved(): // the next request comes with the new ticket
		x.keep()
		return
	case err == nil && (of.state != Bound || of.name() != name):
		err = errAnotherSession
	}
	if err != nil {
		x.end(err)
		return
	}
	if len(x.r.Header[dbsc.Response]) == 0 {
		x.ask(&of)
		return
	}
	c, err := x.prove(&of)
	if err != nil {
		x.refuse(&of, err)
		return
	}
	err = x.store(func(now *binding) error {
		if now.state != Bound || now.id != of.id {
			return errNoUpdate
		}
		err := now.spend(c)
		of = *now
		return err
	})
	x.finish(&of, EventProved, err)
}

// prove checks a proof of the session's key, the cheap things first. The challenge is not spent yet.
func (x *exchange) prove(of *binding) (challenge, error) {
	text, err := dbsc.Text(x.r.Header[dbsc.Response])
	if err != nil {
		return challenge{}, err
	}
	p, err := dbsc.ParseProof(text)
	switch {
	case err != nil:
		return challenge{}, err
	case p.Key != nil:
		return challenge{}, errSecondKey
	}
	c, err := of.check(forRefresh, p.Challenge, x.b.m.Now())
	if err != nil {
		return c, err
	}
	key, err := dbsc.ParseKey(of.key)
	if err != nil {
		return c, err
	}
	if err := p.Verify(key, x.audience()...); err != nil {
		return c, err
	}
	probe := *of
	return c, probe.spend(c)
}

// refuse answers a proof that is not good. A challenge that is too old, was used, or is of an earlier binding may be an
// honest browser's, which sends what it has signed again when an answer was lost: it gets another one. Anything else is
// none of ours.
func (x *exchange) refuse(of *binding, why error) {
	if errors.Is(why, errSpent) || errors.Is(why, errStale) || errors.Is(why, errForeign) {
		x.b.report(x.r, EventProofFailed, x.s, why)
		x.ask(of)
		return
	}
	x.end(why)
}

// ask wants a proof with a new challenge.
func (x *exchange) ask(of *binding) {
	x.challenge(of)
	x.answer(statusAgain)
}

// challenge sends the next challenge, which the browser keeps until it needs one.
func (x *exchange) challenge(of *binding) {
	text := of.issue(forRefresh, x.b.m.Now())
	x.w.Header().Set(dbsc.Challenge, dbsc.Quote(text)+";id="+dbsc.Quote(of.name()))
}
