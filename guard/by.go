package guard

import (
	"fmt"
	"net/http"
	"net/netip"
)

// By says whose requests a Limit counts together: Session, Address or Account. The zero value is Session.
type By struct {
	of *func(*Guard, *http.Request) (key string, no Refusal)
}

var (
	// Session counts the requests of a session, or those of a signed-in user if Limit.Users is set. Visitors without
	// a stored session pass uncounted.
	Session By

	// Address counts all requests from an address, with or without a session. The address is that of the manager's
	// Options.ClientIP: behind a proxy set it, or all visitors share the proxy's. One network is one address:
	// Options.IPv4Prefix and Options.IPv6Prefix say how large it is. Requests whose address is unknown, as on a Unix
	// socket, are counted together.
	Address = By{&byAddress}
)

var (
	byAddress = func(g *Guard, r *http.Request) (string, Refusal) { return g.network(r), Refusal{} }
	byNobody  = func(*Guard, *http.Request) (key string, no Refusal) { return } // of Limit.Check, which refuses it
)

// Account counts the requests that name an account, whoever sends them and whether or not the account exists. A request
// for which the function returns "" passes uncounted, so count addresses as well.
//
// The function may read the body: it is given a copy of the request, and the handler reads the body again from its
// beginning. A body of more than 1 MiB is answered with 413, and one that cannot be read with 400. The function must
// find the name where the handler finds it, and bring names that mean the same account into one form, such as by
// strings.ToLower where case does not matter: each form has its own count. Some databases also take "ann " or "ánn" for
// "ann". Where yours does, look the account up, and return its id, or what was sent if there is none. A nil function is
// an error of Limit.Check.
func Account(name func(*http.Request) string) By {
	if name == nil {
		return By{&byNobody}
	}
	of := func(_ *Guard, r *http.Request) (string, Refusal) { return named(r, name) }
	return By{&of}
}

// network is the address of the client as far as it counts.
func (g *Guard) network(r *http.Request) string {
	ip := g.m.ClientIP(r)
	bits := g.opts.IPv6Prefix
	if ip.Is4() {
		bits = g.opts.IPv4Prefix
	}
	network, err := ip.Prefix(bits)
	if err != nil { // there is no address
		return netip.Prefix{}.String()
	}
	return network.String()
}

// claim is what a name of limits stands for.
type claim struct {
	addresses    bool
	every, whole int64
}

// claim takes a name for a limit of addresses or accounts, which share the places of their counts with all of its name.
func (g *Guard) claim(l Limit, r rule) error {
	mine := claim{l.By == Address, r.every, r.whole}
	g.mu.Lock()
	defer g.mu.Unlock()
	if other, taken := g.claims[r.name]; taken && other != mine {
		return fmt.Errorf("guard: Limit.Name: %q is the name of another limit, with other numbers or another By; give "+
			"each a name of its own", r.name)
	}
	g.claims[r.name] = mine
	return nil
}
