package keys_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/keys"
)

// flip changes one character to another of the alphabet.
func flip(text string, i int) string {
	c := byte('A')
	if text[i] == 'A' {
		c = 'B'
	}
	return text[:i] + string(c) + text[i+1:]
}

// refused reports whether an error says that a text is none of ours.
func refused(err error) bool {
	return errors.Is(err, keys.ErrMalformed) || errors.Is(err, keys.ErrBadSignature)
}

func TestNoByteOfATicketCanBeChanged(t *testing.T) {
	good := keys.NewTicket().Text(known, cookie)
	for i := range good {
		if _, _, err := keys.ParseTicket(flip(good, i), known, cookie); !refused(err) {
			t.Errorf("character %d changed: %v", i, err)
		}
	}
	if _, _, err := keys.ParseTicket(good, known, cookie); err != nil {
		t.Errorf("the ticket itself: %v", err)
	}
}

func TestATicketTellsWhichSecretSignedIt(t *testing.T) {
	ticket := keys.NewTicket()
	text := ticket.Text(ringOf(oldSecret), cookie)
	for want, ring := range []keys.Ring{ringOf(oldSecret, freshSecret), ringOf(freshSecret, oldSecret)} {
		if got, signer, err := keys.ParseTicket(text, ring, cookie); got != ticket || signer != want || err != nil {
			t.Errorf("signed by %d, %v, want %d", signer, err, want)
		}
	}
	if _, _, err := keys.ParseTicket(text, ringOf(freshSecret), cookie); !errors.Is(err, keys.ErrBadSignature) {
		t.Errorf("by a secret that was removed: %v, want ErrBadSignature", err)
	}
	if _, _, err := keys.ParseTicket(text, ringOf(oldSecret), cookie+"2"); !errors.Is(err, keys.ErrBadSignature) {
		t.Errorf("under another name: %v, want ErrBadSignature", err)
	}
}

func TestOnlyTheOldTicketOpensTheNextOne(t *testing.T) {
	old, next, other := keys.NewTicket(), keys.NewTicket(), keys.NewTicket()
	data := keys.SealTicket(old, next, old.ID(), next.ID())
	if got, err := keys.OpenTicket(old, data, old.ID(), next.ID()); got != next || err != nil {
		t.Fatalf("the old ticket does not open the next one: %v", err)
	}
	lying := keys.SealTicket(old, next, old.ID(), other.ID()) // names a successor that it does not hold
	for what, c := range map[string]struct {
		by       keys.Ticket
		data     []byte
		id, next string
	}{
		"another ticket":      {other, data, old.ID(), next.ID()},
		"in another record":   {old, data, other.ID(), next.ID()},
		"of other successor":  {old, data, old.ID(), other.ID()},
		"with a byte more":    {old, append(data, 0), old.ID(), next.ID()},
		"cut":                 {old, data[:len(data)-1], old.ID(), next.ID()},
		"nothing":             {old, nil, old.ID(), next.ID()},
		"not what is claimed": {old, lying, old.ID(), other.ID()},
	} {
		if got, err := keys.OpenTicket(c.by, c.data, c.id, c.next); err == nil || got != (keys.Ticket{}) {
			t.Errorf("%s: it opens, %v", what, err)
		}
	}
}

// A ticket that is accepted is the one that was made, in its one spelling; everything else has one of two errors.
func FuzzTicket(f *testing.F) {
	good := oldTicket
	parts := strings.Split(good, ".")
	for _, text := range []string{
		good, good + "=", "v1." + parts[2] + "." + parts[1], "v2." + good[3:], good[:89], strings.ToUpper(good), "v1..",
		"",
	} {
		f.Add(text, 0, byte(0))
	}
	f.Add("", 3, byte('A'))
	f.Fuzz(func(t *testing.T, text string, at int, c byte) {
		if text == "" { // changes of the good one
			i := int(uint(at) % uint(len(good)))
			text = good[:i] + string([]byte{c}) + good[i+1:]
		}
		ticket, _, err := keys.ParseTicket(text, known, cookie)
		switch {
		case err == nil && ticket.Text(known, cookie) != text:
			// a corpus may hold another ticket that this secret signed
			t.Errorf("%q is accepted, and is not how the ticket is written", text)
		case err != nil && !refused(err):
			t.Errorf("ParseTicket(%q) = %v", text, err)
		case err != nil && text == good:
			t.Errorf("the good ticket: %v", err)
		}
	})
}

func TestTicketsFollowFromATokenOfAnotherLibrary(t *testing.T) {
	old, other := ringOf(oldSecret), ringOf(freshSecret)
	want := old.TicketsOf("session", "token")[0]
	for name, got := range map[string]keys.Ticket{
		"purpose": old.TicketsOf("mark", "token")[0], "token": old.TicketsOf("session", "token2")[0],
		"key": other.TicketsOf("session", "token")[0], "border": old.TicketsOf("sessiont", "oken")[0],
	} {
		if got == want {
			t.Errorf("with another %s the ticket is the same", name)
		}
	}
	for _, both := range []keys.Ring{ringOf(freshSecret, oldSecret), ringOf(oldSecret, freshSecret)} {
		tickets, marks := both.TicketsOf("session", "token"), both.MarksOf("session", "token")
		for _, one := range []keys.Ring{old, other} {
			ticket := one.TicketsOf("session", "token")[0]
			if !slices.Contains(tickets, ticket) || !slices.Contains(marks, ticket.ID()) {
				t.Error("one of two secrets gives a ticket that both of them do not")
			}
		}
		if signs(both, oldSecret) != (tickets[0] == want) || len(tickets) != 2 || len(marks) != 2 {
			t.Errorf("the first of %d tickets is not that of the secret that signs", len(tickets))
		}
	}
}
