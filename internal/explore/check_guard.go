package explore

import (
	"context"
	"net/http"
)

// checkRates wants that a limit lets through as many as it says.
func (v *sight) checkRates() {
	passed := map[string]int{}
	for _, a := range v.acts {
		switch {
		case !a.passed || a.uses != "" || a.tries != "":
		case a.name == "limited user" && a.user != "" || a.by == stranger:
			passed[a.name]++
		case a.as != "":
			passed[a.name+a.as]++
		}
	}
	for who, n := range passed {
		if n > perHour {
			v.fail("a limit lets through as many as it says", "%d of %q passed", n, who)
		}
	}
	for _, a := range v.acts {
		counted := func(b *act) bool {
			return b.name == a.name && b.tries == "" && (b.passed || b.faulted())
		}
		if a.status == http.StatusTooManyRequests && a.tries == "" && !v.any(counted) {
			v.fail("a limit lets through as many as it says", "%s was refused, and none passed", a)
		}
	}
}

// checkForms wants that a form which was shown can be sent, until somebody signs in.
func (v *sight) checkForms() {
	s := v.of(desk)
	if s == nil || v.any(func(a *act) bool { return a.by == desk && a.signs != "" }) {
		return
	}
	for _, a := range v.acts {
		if a.name != "show a form" || a.as != desk || !a.done() {
			continue
		}
		if a.form == "" && (a.faulted() || v.disturbed(a)) {
			continue
		}
		late := &act{sc: v.scene, node: v.nodes[0], status: http.StatusOK, cookie: s.Token()}
		if late.sendForm(context.Background(), a.form); late.status != http.StatusOK {
			v.fail("a form that was shown can be sent", "that of %s: %d", a, late.status)
		}
	}
}
