package life

import (
	"context"
	"time"

	"github.com/coatcheck/session/internal/bounded"
)

// Limit gives what waits for the store StoreTimeout, unless its context has a deadline: with a server that hangs, a
// request's context ends only when the client gives up, and a job's never does. Whoever asks for the limit ends the
// call.
func (k *Keeper) Limit(ctx context.Context) (limited context.Context, call *bounded.Context) {
	if k.Local {
		return ctx, nil
	}
	return k.calls.Limit(ctx)
}

// Detach gives a call StoreTimeout, and lets it go on when its context ends. Whoever asks for it ends the call.
func (k *Keeper) Detach(ctx context.Context) (detached context.Context, call *bounded.Context) {
	if k.Local {
		return context.WithoutCancel(ctx), nil
	}
	call = k.calls.Detach(ctx)
	return call, call
}

// Outlast gives a load the deadline of ctx, or StoreTimeout if it has none, and goes on when the client hangs up: most
// drivers then close the connection on which they wait, and whoever sends requests and hangs up would cost the site one
// after the other. Whoever asks for it ends the call.
func (k *Keeper) Outlast(ctx context.Context) (detached context.Context, call *bounded.Context) {
	if k.Local || ctx.Err() != nil {
		return ctx, nil
	}
	call = k.calls.Outlast(ctx)
	return call, call
}

// patient is a store on a server that may hang. No call for one record takes longer than StoreTimeout, unless its
// context has a deadline. Lists take as long as they are.
type patient struct {
	Store
	calls *bounded.Calls
}

func (p patient) Load(ctx context.Context, id string) (*Record, error) {
	limited, call := p.calls.Limit(ctx)
	defer call.End()
	return p.Store.Load(limited, id)
}

func (p patient) Save(ctx context.Context, rec *Record) error {
	limited, call := p.calls.Limit(ctx)
	defer call.End()
	return p.Store.Save(limited, rec)
}

func (p patient) Delete(ctx context.Context, id string) error {
	limited, call := p.calls.Limit(ctx)
	defer call.End()
	return p.Store.Delete(limited, id)
}

// patient returns the abilities of a store that is patient.
func (can Abilities) patient(calls *bounded.Calls) Abilities {
	if can.Toucher != nil {
		can.Toucher = patientToucher{can.Toucher, calls}
	}
	if can.Limiter != nil {
		can.Limiter = patientLimiter{can.Limiter, calls}
	}
	return can
}

type patientToucher struct {
	Toucher
	calls *bounded.Calls
}

func (p patientToucher) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	limited, call := p.calls.Limit(ctx)
	defer call.End()
	return p.Toucher.Touch(limited, id, version, seen, expires)
}

type patientLimiter struct {
	Limiter
	calls *bounded.Calls
}

func (p patientLimiter) SaveWithin(ctx context.Context, rec *Record, limit Limit) error {
	limited, call := p.calls.Limit(ctx)
	defer call.End()
	return p.Limiter.SaveWithin(limited, rec, limit)
}
