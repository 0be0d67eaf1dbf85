package device

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// check is what holds in whatever order.
func (sc *scene) check() error {
	return errors.Join(sc.checkEnd(), sc.checkLogin(), sc.checkRenewal(), sc.checkOnce(), sc.checkTabs())
}

func (sc *scene) all() (list []string) {
	list = append(list, sc.tickets...)
	for _, d := range sc.acts {
		if d.ticket != "" {
			list = append(list, d.ticket)
		}
	}
	return list
}

// checkEnd: neither a refresh nor a registration revives a session that was ended.
func (sc *scene) checkEnd() error {
	if !sc.has("logout", "revoke") || sc.has("login", "login as bob") {
		return nil
	}
	for _, d := range sc.acts {
		if (d.name == "logout" || d.name == "revoke") && d.status != http.StatusOK {
			return nil // nobody was told that it is over
		}
	}
	for _, ticket := range sc.all() {
		if got := sc.opens(ticket); got != "" {
			return fmt.Errorf("a ticket opens the session of %s after its end", got)
		}
	}
	return nil
}

// checkLogin: what was registered before a Login is nothing after it.
func (sc *scene) checkLogin() error {
	if !sc.has("register", "refresh") {
		return nil
	}
	for _, d := range sc.acts {
		if !strings.HasPrefix(d.name, "login") || d.ticket == "" {
			continue
		}
		if got := sc.opens(d.ticket); got != "" && !strings.HasSuffix(got, " pending") {
			return fmt.Errorf("after a Login the session is of %s, by a key from before", got)
		}
		again := *d
		if sc.register != nil {
			r := sc.register.Clone(context.Background())
			sc.cookies[0] = ticketCookie + "=" + d.ticket
			if sc.send(context.Background(), &again, r); again.status == http.StatusOK {
				return errors.New("an offer from before the Login is good after it")
			}
		}
	}
	return nil
}

// checkRenewal: while nobody ends the session, somebody has a ticket that opens it, and no browser forgets its key.
func (sc *scene) checkRenewal() error {
	if sc.has("logout", "revoke", "login", "login as bob", "register") {
		return nil
	}
	for _, d := range sc.acts {
		if d.name == "refresh" && d.status != http.StatusOK && d.status != http.StatusServiceUnavailable &&
			d.status != http.StatusForbidden {
			return fmt.Errorf("a refresh beside a new id is answered by %d", d.status)
		}
	}
	if !slices.ContainsFunc(sc.all(), func(ticket string) bool { return sc.opens(ticket) == sc.user+" bound" }) {
		return errors.New("no ticket opens the session any more")
	}
	return nil
}

// checkOnce: one proof is good once.
func (sc *scene) checkOnce() error {
	good := map[string]int{}
	for _, d := range sc.acts {
		if d.status == http.StatusOK {
			good[d.name]++
		}
	}
	if n := max(good["register"], good["refresh"], good["refresh of another tab"]); n > 1 {
		return fmt.Errorf("a proof was good %d times", n)
	}
	return nil
}

// checkTabs: where nobody ends or replaces the session, two proofs of one key are both good, and so is who reads.
func (sc *scene) checkTabs() error {
	if sc.has("register", "logout", "revoke", "login", "login as bob", "regenerate") {
		return nil
	}
	for _, d := range sc.acts {
		good := d.status == http.StatusOK || d.status == http.StatusServiceUnavailable && sc.renews
		again := strings.HasPrefix(d.name, "refresh") && d.status == http.StatusForbidden && sc.twice(d.name)
		if !good && !again {
			return fmt.Errorf("%s is answered by %d", d.name, d.status)
		}
	}
	return nil
}

// twice reports whether a proof is sent a second time.
func (sc *scene) twice(name string) bool {
	n := 0
	for _, d := range sc.acts {
		if d.name == name {
			n++
		}
	}
	return n > 1
}
