package guard

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/envelope"
)

// Operation is something that Once asked a person to confirm.
type Operation struct {
	ID   string `json:"id"`   // of this text under this name; for Confirm
	Name string `json:"name"` // as given to Once
	Text string `json:"text"` // as described; escape it in pages

	AskedAt time.Time `json:"asked_at"`
	DoneAt  time.Time `json:"done_at,omitzero"` // when the same was last done; zero: not within the last five minutes
}

// Once lets a request through if the person behind the session has confirmed this operation, as describe puts it, and
// no other. One confirmation lets exactly one request through, whatever happens at the same time on other nodes. It is
// used up before the handler runs, even if the handler then fails or panics; if an answer of the store is lost, it may
// be used up as well. It ends with the session, with the next Login, and after five minutes.
//
// A request without a confirmation is noted and answered as by Fresh with Options.ConfirmPage. That page shows what
// Asked returns, lets the person show a factor, and calls Confirm; then the client sends the request again. A client
// that cannot confirm gets the same answer each time. An operation that was done a moment ago, by the first click of
// two, has Operation.DoneAt.
//
// Letting a request through costs one more load and one more save, and asking about one costs a save.
//
// describe says in one sentence, for people, what the request will do. Whatever it leaves out can be changed after the
// confirmation, so name everything that matters: "Transfer 100.00 EUR to AT61 1904 3002 3457 3201". Read each value in
// the same way as the handler, because a name can be in the address and in the form, and more than once. describe may
// read the form or the body: it is given a copy of the request, and the handler reads the body again from its
// beginning. A body above 1 MiB or a text above 4096 bytes gets 413, and an empty text 400. Give each kind of operation
// a name of its own.
//
// People who are not signed in get the answer of User, and Options.Proof may ask for more. With cookiestore, each
// operation gives the session a new id. Without cookiestore.Options.Revocations a copied cookie would bring a
// confirmation back, so every request fails.
func (g *Guard) Once(name string, describe func(*http.Request) string) func(http.Handler) http.Handler {
	switch {
	case name == "" || describe == nil:
		return g.wrong(errors.New("guard: Once: it needs a name and a function that describes a request"))
	case !g.passes("logout-is-final"):
		return g.wrong(errors.New("guard: Once: a copied cookie brings a confirmation back; set " +
			"cookiestore.Options.Revocations, or use a store on the server"))
	}
	return func(next http.Handler) http.Handler {
		once := g.once(name, describe, next)
		if g.opts.Proof != nil {
			once = g.opts.Proof(once)
		}
		return g.User(once)
	}
}

// passes reports whether the manager passes a check of its Audit.
func (g *Guard) passes(check string) bool {
	return slices.ContainsFunc(g.m.Audit(), func(f session.Finding) bool { return f.Name == check && f.Pass })
}

func (g *Guard) once(name string, describe func(*http.Request) string, next http.Handler) http.Handler {
	travels := !g.passes("no-write-is-lost")
	return g.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		text, no := described(r, describe)
		if no.Status != 0 {
			g.refuse(w, r, no)
			return
		}
		ids := g.operationIDs(name, text)
		spent, err := g.spend(r, s, ids, travels)
		switch {
		case err != nil:
			g.m.Fail(w, r, err)
		case spent:
			next.ServeHTTP(w, r)
		default:
			g.refuse(w, r, g.ask(r, s, newPending(ids[0], name, text, g.m.Now()), ids))
		}
	})
}

// maxText is how long the description of an operation may be: people are to read it.
const maxText = 4096

// described describes a request. A body of which only the beginning was looked at might do something else, and a text
// that says nothing would be the text of many requests.
func described(r *http.Request, describe func(*http.Request) string) (string, Refusal) {
	text, no := named(r, describe)
	switch {
	case no.Status != 0:
	case len(text) > maxText:
		no = Refusal{Reason: BadBody, Status: http.StatusRequestEntityTooLarge,
			Text: "This is more than a person can confirm at once."}
	case strings.TrimSpace(text) == "":
		no = Refusal{Reason: BadBody, Status: http.StatusBadRequest,
			Text: "The request does not say what it is to do."}
	}
	return text, no
}

// pending is an operation that was asked about. Its times are in microseconds since 1970, 0 for none.
type pending struct {
	ID        string `json:"i"`
	Name      string `json:"n"`
	Text      string `json:"t"`
	Asked     int64  `json:"a"`
	Confirmed int64  `json:"c,omitempty"`
	Done      int64  `json:"d,omitempty"`
}

// operations are those of a session: the library's own data, which go with the next Login.
const operations = session.Key[[]pending](envelope.LoginPrefix + "once")

const (
	onceLasts = 5 * time.Minute
	maxAsked  = 8
	maxTexts  = 1024 // bytes of all texts but the newest: a session may have to fit into a cookie
)

func newPending(id, name, text string, now time.Time) pending {
	return pending{ID: id, Name: name, Text: legible(text), Asked: now.UnixMicro()}
}

// operationIDs are the ids that an operation has by each secret. The first is that of a new one. They are in addresses,
// and so in logs, where nobody must find out the text by guessing it.
func (g *Guard) operationIDs(name, text string) (ids []string) {
	for _, sum := range g.m.Pseudonyms("guard operation", strconv.Quote(name)+text) {
		ids = append(ids, tokenEncoding.EncodeToString(sum[:16]))
	}
	return ids
}

// legible is a text that cannot change the order in which people read it.
func legible(text string) string {
	return strings.Map(func(c rune) rune {
		turns := c == 0x061c || c == 0x200e || c == 0x200f || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069
		if turns || c < ' ' && c != '\n' || c >= 0x7f && c < 0xa0 {
			return '\uFFFD'
		}
		return c
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// holds reports whether a time is one of the last five minutes. The clocks of two nodes may differ.
func holds(at int64, now time.Time) bool {
	age := now.Sub(time.UnixMicro(at))
	return at != 0 && age <= onceLasts && age >= -clockSkew
}

// current are those that still matter, with room for one more. A confirmation is the last to go.
func current(list []pending, now time.Time) []pending {
	list = slices.DeleteFunc(list, func(p pending) bool {
		return !holds(p.Asked, now) && !holds(p.Confirmed, now) && !holds(p.Done, now)
	})
	for len(list) >= maxAsked || textsOf(list) > maxTexts {
		i := slices.IndexFunc(list, func(p pending) bool { return !holds(p.Confirmed, now) })
		list = slices.Delete(list, max(i, 0), max(i, 0)+1)
	}
	return list
}

func textsOf(list []pending) (size int) {
	for _, p := range list {
		size += len(p.Text)
	}
	return size
}

// indexOf finds an operation by any of its ids.
func indexOf(list []pending, ids ...string) int {
	return slices.IndexFunc(list, func(p pending) bool { return slices.Contains(ids, p.ID) })
}

// ask notes that a request wants to be confirmed.
func (g *Guard) ask(r *http.Request, s *session.Session, p pending, ids []string) Refusal {
	now := g.m.Now()
	operations.Update(s, func(list []pending) []pending { return withAsked(list, p, ids, now) })
	list := operations.Or(s, nil)
	if i := indexOf(list, ids...); i >= 0 {
		p = list[i]
	}
	op, login := p.operation(now), withReturn(g.opts.ConfirmPage, r)
	if login != "" {
		login = withParam(login, OperationParam, p.ID)
	}
	return Refusal{Reason: NotConfirmed, Status: http.StatusUnauthorized, Text: "Please confirm that you want this.",
		Login: login, MaxAge: onceLasts, Operation: &op}
}

// withAsked adds an operation. A confirmation that another request has brought meanwhile stays, and so does the id by a
// former secret while a page may show it.
func withAsked(list []pending, p pending, ids []string, now time.Time) []pending {
	list = slices.DeleteFunc(slices.Clone(list), func(old pending) bool {
		if !slices.Contains(ids, old.ID) {
			return false
		}
		p.Confirmed, p.Done = max(p.Confirmed, old.Confirmed), max(p.Done, old.Done)
		if holds(old.Asked, now) {
			p.ID = old.ID
		}
		return true
	})
	return append(current(list, now), p)
}

// spend takes the confirmation of an operation away, so that no other request has it. A session that travels with its
// client is in every copy of the cookie: only a new id makes the others useless. Whoever comes second knows afterwards
// what the first has done.
func (g *Guard) spend(r *http.Request, s *session.Session, ids []string, travels bool) (spent bool, err error) {
	if g.confirmed(operations.Or(s, nil), ids) < 0 {
		return false, nil
	}
	ctx, cancel := bounded(r.Context())
	defer cancel()
	err = s.Atomic(ctx, func(s *session.Session) error {
		list := slices.Clone(operations.Or(s, nil))
		i := g.confirmed(list, ids)
		if spent = i >= 0; !spent {
			return nil
		}
		list[i].Asked, list[i].Confirmed, list[i].Done = 0, 0, g.m.Now().UnixMicro()
		operations.Set(s, list)
		if travels {
			s.Regenerate()
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("guard: take a confirmation: %w", err)
	}
	return spent, nil
}

// confirmed finds a confirmation of an operation.
func (g *Guard) confirmed(list []pending, ids []string) int {
	now := g.m.Now()
	return slices.IndexFunc(list, func(p pending) bool { return slices.Contains(ids, p.ID) && holds(p.Confirmed, now) })
}

// Asked returns the operations of a session that wait to be confirmed, newest first, for the page of
// Options.ConfirmPage. A page should show the one that its address names in OperationParam.
func (g *Guard) Asked(s *session.Session) []Operation {
	var all []Operation
	now := g.m.Now()
	for _, p := range slices.Backward(operations.Or(s, nil)) {
		if holds(p.Asked, now) && !holds(p.Confirmed, now) {
			all = append(all, p.operation(now))
		}
	}
	return all
}

func (p pending) operation(now time.Time) Operation {
	op := Operation{ID: p.ID, Name: p.Name, Text: p.Text, AskedAt: time.UnixMicro(p.Asked).UTC()}
	if holds(p.Done, now) {
		op.DoneAt = time.UnixMicro(p.Done).UTC()
	}
	return op
}

// ErrNotAsked is returned by Confirm for an operation that is not waiting to be confirmed, or no longer is.
var ErrNotAsked = errors.New("guard: no such operation waits to be confirmed")

// Confirm notes that the person behind the session has confirmed an operation with a factor, which it notes as
// Session.Confirm does. Call it when they have seen the text of the operation and shown the factor, which is for you to
// check. The error is ErrNotAsked, and then nothing has changed, or says why Session.Confirm refused the factor.
func (g *Guard) Confirm(s *session.Session, id, factor string) error {
	if !slices.ContainsFunc(g.Asked(s), func(op Operation) bool { return op.ID == id }) {
		return ErrNotAsked
	}
	s.Confirm(factor)
	at := g.m.Now().UnixMicro()
	operations.Update(s, func(list []pending) []pending {
		list = slices.Clone(list)
		if i := indexOf(list, id); i >= 0 {
			list[i].Confirmed, list[i].Text = at, "" // nobody reads it any more
		}
		return list
	})
	return s.Err()
}
