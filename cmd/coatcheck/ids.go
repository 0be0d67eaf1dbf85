package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/internal/leftout"
)

const (
	wholeID     = 64 // digits
	leastPrefix = 4
	shortest    = 12 // digits of a candidate
	candidates  = 10 // that are shown where an id may be one of several
)

// prefix is the beginning of an id, and the records whose ids begin with it.
type prefix struct {
	text  string
	found []*session.Record // the first few
	n     int
}

// ids are the whole ids that a person means, who may give the beginnings of some. What no id begins with is returned as
// it is: it is the id of nothing.
func (s *site) ids(ctx context.Context, words []string) ([]string, error) {
	list := make([]string, len(words))
	short := map[int]*prefix{}
	for i, word := range words {
		list[i] = strings.ToLower(word)
		isPrefix, err := checkID(list[i])
		if err != nil {
			return nil, err
		}
		if isPrefix {
			short[i] = &prefix{text: list[i]}
		}
	}
	if err := s.find(ctx, short); err != nil {
		return nil, err
	}
	for i, p := range short {
		if p.n > 1 {
			return nil, p.ambiguous(s.Now())
		}
		if p.n == 1 {
			list[i] = p.found[0].ID
		}
	}
	return list, nil
}

// checkID reports whether a word may be the beginning of an id. A ticket is never repeated: it opens its session.
func checkID(word string) (isPrefix bool, err error) {
	switch {
	case strings.HasPrefix(word, "v1.") || strings.HasPrefix(word, "e1."):
		return false, usage("this is a ticket, which opens a session, and not an id; end the session, because others " +
			"can now read the ticket in the list of processes")
	case !isHex(word) || len(word) >= wholeID:
		return false, nil
	case len(word) < leastPrefix:
		return false, usage("%q is too short for an id: give %d digits of it, or more", word, leastPrefix)
	}
	return true, nil
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// find looks for what begins with the prefixes. A database is asked for that part alone; the other stores list their
// records in an order of their own, and take one walk through all of them.
func (s *site) find(ctx context.Context, short map[int]*prefix) error {
	if len(short) == 0 {
		return nil
	}
	if _, err := s.lister(); err != nil {
		return fmt.Errorf("%w, so it finds no id by its beginning: give the whole id", err)
	}
	if s.cfg.Store != "database" {
		return s.walk(ctx, "", func(rec *session.Record) bool {
			for _, p := range short {
				p.meet(rec)
			}
			return true
		})
	}
	for _, p := range short {
		if err := s.walk(ctx, p.text, p.meet); err != nil {
			return err
		}
	}
	return nil
}

// damaged is the kind of a record that no list has, of which the store knows the id.
const damaged session.RecordKind = 255

// walk goes through the records that come after an id, as long as it is wanted, and through damaged ones on the way.
func (s *site) walk(ctx context.Context, after string, meet func(*session.Record) bool) error {
	met := false
	listing := leftout.Telling(ctx, func(id, _ string) { meet(&session.Record{ID: id, Kind: damaged}) })
	for rec, err := range survey.After(listing, s.store, after) {
		if err != nil && (!met || ctx.Err() != nil) {
			return err
		}
		if err != nil {
			return fmt.Errorf("%w; a record that cannot be read may match, too: give the whole id", err)
		}
		if met = true; !meet(rec) {
			return nil
		}
	}
	return nil
}

// meet reports whether the id of a record begins so.
func (p *prefix) meet(rec *session.Record) bool {
	if !strings.HasPrefix(rec.ID, p.text) {
		return false
	}
	if slices.ContainsFunc(p.found, func(r *session.Record) bool { return r.ID == rec.ID }) {
		return true // a store that reads a page once more tells of a damaged one again
	}
	if p.n++; len(p.found) < candidates {
		p.found = append(p.found, rec)
	}
	return true
}

// ambiguous lists what the prefix may stand for.
func (p *prefix) ambiguous(now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%q matches %d sessions: give more of the id", p.text, p.n)
	for _, rec := range p.found {
		state := rec.Kind.String()
		switch rec.Kind {
		case session.KindLive:
			state = "seen " + output.Ago(rec.SeenAt, now)
		case damaged:
			state = "damaged"
		}
		fmt.Fprintf(&b, "\n  %s  %s  %s, %s", rec.ID[:min(len(rec.ID), max(len(p.text)+4, shortest))],
			output.Clean(orDash(rec.User)), guard.Device(rec.UserAgent), state)
	}
	if left := p.n - len(p.found); left > 0 {
		fmt.Fprintf(&b, "\n  and %d more", left)
	}
	return usage("%s", &b)
}
