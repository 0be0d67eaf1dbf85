package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/wire"
)

// A cookie that is renamed is still out there under its former names, with tickets that were signed for them. What it
// names is opened, sent anew under the new name, and the former cookie removed by the same response.

// checkFormer refuses former names that no cookie has, or that are those of the cookie itself.
func (c Cookie) checkFormer() error {
	for _, name := range c.FormerNames {
		switch {
		case !wire.IsToken(name):
			return errors.New("Cookie.FormerNames: a name has letters, digits and -_.!#$%&'*+^`|~ only")
		case name == c.Name:
			return fmt.Errorf("Cookie.FormerNames: %q is the cookie's name; leave it out", name)
		case strings.HasPrefix(name, c.Name+".") || strings.HasPrefix(c.Name, name+"."):
			return fmt.Errorf("Cookie.FormerNames: %q and %q may be parts of one session; choose another name", name,
				c.Name)
		}
	}
	return nil
}

// named is the transport of the same cookie under a former name. A prefix asks for attributes that the cookie may not
// have now.
func (t cookieTransport) named(name string) cookieTransport {
	if strings.HasPrefix(name, "__") {
		t.Insecure, t.ScriptAccess = false, false
	}
	if wire.PrefixOf(name).Host {
		t.Domain, t.Path = "", "/"
	}
	t.Cookie.Name, t.pieces = name, t.pieces.Named(name)
	return t
}

// former are the tickets in former cookies of the request. One that came twice is not believed.
func (m *Manager) former(r *http.Request) (tickets []string) {
	for _, name := range m.formerNames {
		t := m.transport.(cookieTransport).named(name)
		if text, err := t.Read(r); err == nil && text != "" {
			tickets = append(tickets, text)
		}
	}
	return tickets
}

// forgetFormer removes the former cookies that came with the request.
func (t cookieTransport) forgetFormer(r *http.Request, h http.Header) {
	for _, name := range t.FormerNames {
		old := t.named(name)
		for _, piece := range old.pieces.Names() {
			if _, n := wire.Find(r.Header["Cookie"], piece); n > 0 {
				old.put(h, piece, "", time.Time{}, time.Time{})
			}
		}
	}
}

// findAny loads the session of the first ticket that has one. What former cookies name besides is noted, for a logout
// ends it too.
func (s *Session) findAny(ctx context.Context, text string, former []string) ([]Event, error) {
	events, err := s.find(ctx, text)
	for err == nil && len(former) > 0 && s.isNew && !s.draft.gone {
		var more []Event
		more, err = s.find(ctx, former[0])
		events, former = append(events, more...), former[1:]
		if !s.isNew {
			s.renamed()
		}
	}
	if err == nil {
		s.draft.former = s.m.keeper.idsOf(former, s.draft.id())
	}
	return events, err
}

// renamed has the ticket sent anew. One that is the session itself is sealed anew as well.
func (s *Session) renamed() {
	s.expired = false
	if s.m.keeper.carried != nil {
		s.draft.stale = true
		return
	}
	s.draft.reply = replyTicket
}

// idsOf are the ids of tickets that are genuine, but for one.
func (k *keeper) idsOf(tickets []string, but string) (ids []string) {
	for _, text := range tickets {
		id := ""
		if k.carried != nil {
			if c, err := k.uncarry(text); err == nil {
				id = c.rec.ID
			}
		} else if t, _, err := k.parseTicket(text); err == nil {
			id = t.ID()
		}
		if id != "" && id != but {
			ids = append(ids, id)
		}
	}
	return ids
}

// parseTicket checks a ticket that was signed for the cookie's name, or for a former one.
func (k *keeper) parseTicket(text string) (t keys.Ticket, signer int, err error) {
	t, signer, err = keys.ParseTicket(text, k.ring(), k.names[0])
	for i := 1; i < len(k.names) && errors.Is(err, ErrBadSignature); i++ {
		t, signer, err = keys.ParseTicket(text, k.ring(), k.names[i])
	}
	return t, signer, err
}

// endAll ends the session of a record, and before it what former cookies of the request name besides: when one of them
// cannot be ended, the client keeps its cookies, and can ask again.
func (d *draft) endAll(ctx context.Context, rec, follower *Record) (ended []*Record, err error) {
	for _, id := range d.former {
		one, err := d.k.recordOf(ctx, id)
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt) {
			continue
		}
		if err != nil {
			return ended, err
		}
		more, err := d.k.end(ctx, one, follower, anybody)
		ended = append(ended, more...)
		if err != nil {
			return ended, err
		}
	}
	own, err := d.k.end(ctx, rec, follower, anybody)
	return append(ended, own...), err
}
