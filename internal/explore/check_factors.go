package explore

// checkFactors wants that a factor belongs to the sign-in after which it was shown, and that none is lost.
func (v *sight) checkFactors() {
	for _, a := range v.acts {
		if len(a.tickets) == 0 || !a.done() {
			continue
		}
		s := v.opened[a.tickets[len(a.tickets)-1]]
		switch {
		case s.User() == "":
		case a.signs != "" && len(s.Factors()) > 0:
			v.fail("a sign-in has its own factors", "that of %s has %v", a, s.Factors())
		case (a.name == "confirm" || a.name == "atomic confirm") && s.FactorAt(shown).IsZero():
			v.fail("a factor that was shown is there", "that of %s is not", a)
		}
	}
	for _, c := range v.clients {
		signs := v.any(func(a *act) bool { return a.by == c.name && a.signs != "" })
		if s := v.of(c.name); s != nil && !signs && s.FactorAt(atLogin).IsZero() {
			v.fail("a factor that was shown is there", "that of the sign-in of the %s is not", c.name)
		}
	}
}
