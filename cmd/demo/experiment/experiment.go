// Package experiment shows what the library promises by trying it: each experiment sends real requests to two small
// sites on one store, of which one keeps its sessions with this library and the other in the usual way, as a blob that
// is upserted and whose last write wins.
package experiment

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session/cmd/demo/trace"
)

// Experiment is one of [All].
type Experiment struct {
	Name     string // as in an address
	Title    string
	Question string // what is tried
	Promise  string // what the library says of it
	Button   string

	run func(*stage) Outcome
}

// Outcome is how an experiment ended, in a sentence.
type Outcome struct {
	Kept bool   `json:"kept"` // the promise, on this side
	Says string `json:"says"`
}

// Request is a request of an experiment: who did what, and what happened.
type Request struct {
	Who    string `json:"who"`
	What   string `json:"what"`
	Status int    `json:"status"`
	Says   string `json:"says"`
	trace.Summary
}

// Side is what happened on one of the two sites.
type Side struct {
	Outcome
	Requests []Request `json:"requests"`
}

// Report is what came out of an experiment.
type Report struct {
	Name  string `json:"name"`
	Ours  Side   `json:"ours"`
	Usual Side   `json:"usual"`
}

// Find returns the experiment with a name.
func Find(name string) (Experiment, bool) {
	for _, e := range All {
		if e.Name == name {
			return e, true
		}
	}
	return Experiment{}, false
}

// Run does the experiment on a store, and removes what it made there. It is safe for concurrent use.
func (e Experiment) Run(ctx context.Context, store trace.Backend) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	ours, err := e.side(ctx, store, true)
	if err != nil {
		return nil, err
	}
	usual, err := e.side(ctx, store, false)
	if err != nil {
		return nil, err
	}
	return &Report{e.Name, ours, usual}, nil
}

func (e Experiment) side(ctx context.Context, store trace.Backend, ours bool) (side Side, err error) {
	s, err := newStage(ctx, store, ours)
	if err != nil {
		return side, err
	}
	side.Outcome = e.run(s)
	err = s.err
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err = errors.Join(err, s.close()); err != nil {
		return side, fmt.Errorf("experiment %s: %w", e.Name, err)
	}
	side.Requests = s.requests()
	return side, nil
}
