package sessionconfig

import (
	"time"

	"github.com/coatcheck/session"
)

// level fills in the clocks that the other keys leave out.
type level func(session.Options) session.Options

var assuranceKeys = []entry{
	{Key: Key{"assurance", "the level of NIST SP 800-63B-4 for idle_timeout and lifetime where they are left out",
		"aal1, aal2 or aal3", ""},
		set: to(choice(map[string]level{"aal1": session.AAL1, "aal2": session.AAL2, "aal3": session.AAL3}),
			func(c *Config, _ string) *level { return &c.assurance })},
}

// assure fills in the clocks that nobody has set. Those that a preset brings along, and no name of it gives, end no
// later than the level wants.
func (b *builder) assure() {
	c := b.cfg
	most := c.assurance(session.Options{})
	b.atMost("idle_timeout", &c.Options.IdleTimeout, most.IdleTimeout)
	b.atMost("lifetime", &c.Options.Lifetime, most.Lifetime)
	c.Options = c.assurance(c.Options)
}

// atMost forgets a clock that a preset has brought along and that is above the most, of which 0 is none.
func (b *builder) atMost(key string, clock *time.Duration, most time.Duration) {
	brought := b.preset != nil && b.from[key].From == b.preset.source()
	if brought && most > 0 && (*clock < 0 || *clock > most) {
		*clock = 0
		delete(b.from, key)
	}
}
