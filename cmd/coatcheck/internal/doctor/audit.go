package doctor

import (
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// audit tells what the options leave to be desired, by the keys of the configuration.
func (p *patient) audit(list []session.Finding) {
	for _, f := range list {
		if f.Pass {
			p.add(f.Name, true, Warn, f.Advice, "") // which is what was found
			continue
		}
		p.add(f.Name, false, Warn, "", byKey(f.Advice))
	}
}

// byKey puts the names of keys for those of options, with which advice begins: "OnEvent or Logger: set one".
func byKey(advice string) string {
	options, what, _ := strings.Cut(advice, ": ")
	var keys []string
	for option := range strings.SplitSeq(options, " or ") {
		if key := keyOf(option); key != "" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return advice
	}
	return strings.Join(keys, " or ") + ": " + what
}

// keyOf is the first key that sets an option. The one of the store has none, and is called as it is.
func keyOf(option string) string {
	for _, key := range sessionconfig.Keys() {
		if key.Option == option || key.Name == option {
			return key.Name
		}
	}
	return ""
}
