package sessionconfig

import "github.com/coatcheck/session"

// level fills in the clocks that the other keys leave out.
type level func(session.Options) session.Options

var assuranceKeys = []entry{
	{Key: Key{"assurance", "the level of NIST SP 800-63B-4 for idle_timeout and lifetime where they are left out",
		"aal1, aal2 or aal3", ""},
		set: to(choice(map[string]level{"aal1": session.AAL1, "aal2": session.AAL2, "aal3": session.AAL3}),
			func(c *Config, _ string) *level { return &c.assurance })},
}
