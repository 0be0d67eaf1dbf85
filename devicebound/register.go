package devicebound

import (
	"github.com/coatcheck/session/internal/dbsc"
)

// register binds the session to the key of a proof, if a Login has offered it and the browser answers in time.
func (b *Binder) register(x *exchange, text string) {
	offer, err := read(x.s)
	if err == nil && offer.at(b.m.Now()) != Pending {
		err = errNoRegistration
	}
	var p *dbsc.Proof
	if err == nil {
		p, err = x.newKey(text, &offer)
	}
	if err != nil {
		b.report(x.r, EventProofFailed, x.s, err)
		x.answer(statusAgain) // which a browser that registers takes for a no
		return
	}
	bound := offer.bind(p.Key)
	err = x.store(func(now *binding) error {
		if now.state != Pending || now.secret != offer.secret {
			return errNoUpdate
		}
		*now = bound
		return nil
	})
	x.finish(&bound, EventBound, err)
}

// newKey checks a proof that brings its key.
func (x *exchange) newKey(text string, offer *binding) (*dbsc.Proof, error) {
	p, err := dbsc.ParseProof(text)
	switch {
	case err != nil:
		return nil, err
	case p.Key == nil:
		return nil, errNoKey
	case p.Key.Algorithm() == dbsc.RS256 && !x.b.opts.RSA:
		return nil, errRSA
	}
	if _, err := offer.check(forRegistration, p.Challenge, x.b.m.Now()); err != nil {
		return nil, err
	}
	return p, p.Verify(p.Key, x.audience()...)
}

// audience is for whom a proof may be that names somebody.
func (x *exchange) audience() []string {
	origin := x.b.opts.Origin
	if origin == "" {
		origin = "https://" + x.r.Host
	}
	return []string{origin + x.r.URL.Path, origin, origin + "/"}
}
