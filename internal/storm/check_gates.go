package storm

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
)

// groups are the requests to gates that count the same, by what they are counted as.
func (v *verdict) groups(what string) map[string][]*passage {
	all := map[string][]*passage{}
	for _, p := range v.passages {
		if p.what == what && p.key != "" {
			all[p.key] = append(all[p.key], p)
		}
	}
	return all
}

// counted are those that a limit may have counted before one of them was over.
func counted(list []*passage, last *passage) (n int) {
	for _, p := range list {
		if p != last && p.from < last.to && (p.passed || p.unsure()) {
			n++
		}
	}
	return n
}

func passed(list []*passage, like func(*passage) bool) (n int) {
	for _, p := range list {
		if p.passed && like(p) {
			n++
		}
	}
	return n
}

// late is a request when the round is over.
func (v *verdict) late(seed uint64, t *ticket) *visit {
	by := v.newVisit(-1, rand.New(rand.NewPCG(v.seed, seed)), &client{name: "the judge"})
	by.sent = t
	by.at(int(seed % 2))
	return by
}

// checkLimits wants that a limit lets through as many as it says on both nodes, and refuses nobody before.
func (v *verdict) checkLimits() {
	for _, what := range []string{addresses, usersOf} {
		if len(v.groups(what)) == 0 {
			continue
		}
		for i := range 4 * perHour { // of either address
			v.late(uint64(i), nil).limited(context.Background(), addresses)
		}
		for key, list := range v.groups(what) {
			if n := passed(list, func(*passage) bool { return true }); n > perHour {
				v.wrong("%d requests of the %s %s passed", n, what, key)
			}
			for _, p := range list {
				if n := counted(list, p); p.status == http.StatusTooManyRequests && n < perHour {
					v.wrong("%v of the %s %s was refused after %d others", p.by, what, key, n)
				}
			}
		}
	}
}

// checkSignIns wants that no more wrong passwords are tried than may be, and that nobody has to wait for others: on a
// device that the account knows not even for those who try the same account.
func (v *verdict) checkSignIns() {
	if len(v.groups(accounts)) == 0 {
		return
	}
	for i, user := range v.users {
		for range attempts + 1 {
			v.late(uint64(i), nil).signIn(context.Background(), user, false)
		}
	}
	for key, list := range v.groups(accounts) {
		most, wrong := attempts, passed(list, func(p *passage) bool { return !p.right })
		if strings.Contains(key, " ") { // a sign-in on a known device lets the count begin anew
			for _, p := range list {
				if p.right && (p.passed || p.unsure()) {
					most += attempts
				}
			}
		}
		if wrong > most {
			v.wrong("%d wrong passwords of %s were tried", wrong, key)
		}
		for _, p := range list {
			if n := counted(v.withoutForgiven(list, p), p); p.status == http.StatusTooManyRequests && n < attempts {
				v.wrong("%v of %s has to wait after %d others", p.by, key, n)
			}
		}
	}
}

// withoutForgiven leaves out who was right before a request, while nobody else tried: that was given back.
func (v *verdict) withoutForgiven(list []*passage, before *passage) []*passage {
	if v.faults > 0 || v.killIn > 0 {
		return list
	}
	alone := func(p *passage) bool {
		return !slices.ContainsFunc(list, func(q *passage) bool { return q != p && q.from < p.to && p.from < q.to })
	}
	return slices.DeleteFunc(slices.Clone(list), func(p *passage) bool {
		return p.right && p.passed && p.status == http.StatusOK && p.to < before.from && alone(p)
	})
}

// checkOperations wants that a confirmation lets one request through, and none after another Login.
func (v *verdict) checkOperations() {
	for key := range v.groups(operations) {
		for _, t := range v.tickets {
			if v.opened[t] != nil {
				v.late(0, t).transfer(context.Background(), key)
			}
		}
	}
	for key, list := range v.groups(operations) {
		var given []*fact
		most := 0
		for _, f := range v.facts {
			if f.kind == confirms && f.token == key {
				given, most = append(given, f), most+f.tries
			}
		}
		if n := passed(list, func(*passage) bool { return true }); n > most {
			v.wrong("the operation %s was done %d times, and confirmed %d times", key, n, most)
		}
		for _, p := range list {
			may := func(c *fact) bool {
				return c.tries > 0 && slices.Contains(c.lives, p.life) && !v.signedInBetween(c, p.life, p.from)
			}
			if p.passed && !slices.ContainsFunc(given, may) {
				v.wrong("%v did %s in %s, where nobody had confirmed it since the Login", p.by, key, p.life)
			}
		}
	}
}

// signedInBetween reports whether a Login came for certain after what was shown in a session, and before a tick.
func (v *verdict) signedInBetween(f *fact, life string, at int) bool {
	return slices.ContainsFunc(v.facts, func(l *fact) bool {
		return l.kind == logins && l.sure && l.life == life && f.to < l.from && l.to < at
	})
}
