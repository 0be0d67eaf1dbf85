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
	return bounded.Limit(ctx, StoreTimeout)
}

// patient is a store on a server that may hang. No call for one record takes longer than StoreTimeout, unless its
// context has a deadline. Lists take as long as they are.
type patient struct{ Store }

func (p patient) Load(ctx context.Context, id string) (*Record, error) {
	limited, call := bounded.Limit(ctx, StoreTimeout)
	defer call.End()
	return p.Store.Load(limited, id)
}

func (p patient) Save(ctx context.Context, rec *Record) error {
	limited, call := bounded.Limit(ctx, StoreTimeout)
	defer call.End()
	return p.Store.Save(limited, rec)
}

func (p patient) Delete(ctx context.Context, id string) error {
	limited, call := bounded.Limit(ctx, StoreTimeout)
	defer call.End()
	return p.Store.Delete(limited, id)
}

// patient returns the abilities of a store that is patient.
func (can Abilities) patient() Abilities {
	if can.Toucher != nil {
		can.Toucher = patientToucher{can.Toucher}
	}
	if can.Limiter != nil {
		can.Limiter = patientLimiter{can.Limiter}
	}
	return can
}

type patientToucher struct{ Toucher }

func (p patientToucher) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	limited, call := bounded.Limit(ctx, StoreTimeout)
	defer call.End()
	return p.Toucher.Touch(limited, id, version, seen, expires)
}

type patientLimiter struct{ Limiter }

func (p patientLimiter) SaveWithin(ctx context.Context, rec *Record, limit Limit) error {
	limited, call := bounded.Limit(ctx, StoreTimeout)
	defer call.End()
	return p.Limiter.SaveWithin(limited, rec, limit)
}
