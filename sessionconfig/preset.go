package sessionconfig

import (
	"errors"
	"math"
	"slices"
	"strings"
	"time"
)

// preset reads the configuration of another framework: its names, its units, its defaults.
type preset struct {
	name     string
	anyCase  bool // names in upper case are known too
	prefix   string
	aliases  []alias
	defaults []pair
	finish   func(*builder)
}

// alias is a name of another framework.
type alias struct {
	name, about string
	key         string // ours; "" when it takes more than one
	allowed     string
	convert     func(v any) (any, error) // nil: as it is
	entry       *entry                   // instead of all of these
}

// pair is a key of ours and its value.
type pair struct {
	key   string
	value any
}

var presets = map[string]*preset{"nexios": &nexios, "expanse": &expanse, "authx": &authx}

// source is where stands what a preset brings along and none of its names gives. No file has such a name.
func (p *preset) source() string { return "preset " + p.name }

func (p *preset) alias(key string) (alias, bool) {
	if p.anyCase {
		key = strings.ToLower(key)
	}
	for _, a := range p.aliases {
		if a.name == key || p.prefix != "" && a.name == p.prefix+key {
			return a, true
		}
	}
	return alias{}, false
}

func (p *preset) names() []string {
	var list []string
	for _, a := range p.aliases {
		list = append(list, a.name)
	}
	return list
}

// items translates a value. None (null) leaves the default.
func (a alias) items(b *builder, layer int, source, shown string, v any) []item {
	if v != nil && a.convert != nil {
		converted, err := a.convert(v)
		if err != nil {
			b.refuse(source, shown, show(v), err.Error()+"use "+a.allowed)
			return nil
		}
		v = converted
	}
	if v == nil {
		return nil
	}
	key, e := a.key, a.entry
	if e == nil {
		e, _, _ = find(strings.Split(key, "."))
	} else {
		key = e.Name
	}
	return []item{{layer, source, shown, key, "", e, v}}
}

// noneAsNull is the convert of a name for which the documents write None. In a file of YAML that is a word.
func noneAsNull(v any) (any, error) {
	if v == "None" {
		return nil, nil
	}
	return v, nil
}

// not is the convert of a name that says the opposite of our key.
func not(v any) (any, error) { return inverted(v) }

// number reads a bare number of some unit, or a duration with its own.
func number(unit time.Duration) func(any) (time.Duration, error) {
	return func(v any) (time.Duration, error) {
		n, err := whole(v)
		if err != nil {
			return duration(v)
		}
		if n <= 0 || n > int64(math.MaxInt64/unit) {
			return 0, errors.New("it must be more than zero and less than three centuries; ")
		}
		return time.Duration(n) * unit, nil
	}
}

// Explained is a key of a preset, for documents and help.
type Explained struct{ Name, Key, About string }

// PresetKeys lists the names that a preset knows, with ours for each. It is nil for a preset that does not exist.
func PresetKeys(name string) []Explained {
	p := presets[name]
	if p == nil {
		return nil
	}
	var list []Explained
	for _, a := range p.aliases {
		list = append(list, Explained{a.name, a.key, a.about})
	}
	return list
}

// Presets lists the names of the presets.
func Presets() []string { return names(presets) }

// secretKey is the one key of the presets that is a secret by itself.
var secretKey = &entry{Key: Key{Name: "secrets.key", Allowed: "text"}, hidden: true,
	set: func(c *Config, _ string, v any) error {
		s, err := text(v)
		if err == nil && s == "" {
			err = errKind
		}
		if err == nil {
			c.secrets.text, c.secrets.raw = s, true
		}
		return err
	}}

func isSet(b *builder, keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return b.set[key] > 0 })
}
