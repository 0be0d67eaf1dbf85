package sessionconfig

import (
	"slices"
	"strings"
)

// choosePreset takes the last preset that a layer names, and applies its defaults.
func (b *builder) choosePreset(layers []layer) {
	for _, l := range layers {
		if s, ok := l.tree["preset"].(string); ok && presets[strings.ToLower(s)] != nil {
			b.preset = presets[strings.ToLower(s)]
			b.cfg.Preset = b.preset.name
		}
	}
	if b.preset == nil {
		return
	}
	for _, d := range b.preset.defaults {
		e, _, _ := find(strings.Split(d.key, "."))
		b.apply(item{source: b.preset.source(), shown: d.key, key: d.key, entry: e, value: d.value})
	}
}

// items lists the keys of a layer under our names, in a fixed order: first what names of the preset stand for, so that
// our own win over them.
func (b *builder) items(l layer) []item {
	w := walker{b: b, layer: l}
	for _, key := range names(l.tree) {
		w.top(key, key, l.tree[key])
	}
	return append(w.theirs, w.items...)
}

// walker goes through the tree of a layer.
type walker struct {
	b             *builder
	layer         layer
	theirs, items []item // by names of the preset, and by ours
}

// source says where a key stands, and how it is written there.
func (w *walker) source(at []string) (source, shown string) {
	if w.layer.source == "" {
		return environment, envName(at)
	}
	return w.layer.source, strings.Join(at, ".")
}

// top handles a key of the highest level, where the names of presets stand, below "session" too.
func (w *walker) top(shown, key string, v any) {
	source, as := w.source(strings.Split(shown, "."))
	if key == "store" && v == nil { // YAML reads null, written without quotes, as nothing
		v = storeNull
	}
	p := w.b.preset
	if p == nil && w.layer.source == "" {
		p = &cookieNames // SESSION_COOKIE_NAME means the same to everybody
	}
	if p != nil {
		if a, ok := p.alias(key); ok {
			w.theirs = append(w.theirs, a.items(w.b, w.layer.number, source, as, v)...)
			return
		}
	}
	if key == envSecretKey && w.layer.source == "" {
		return // some other program's
	}
	group, ok := v.(map[string]any)
	if p == nil || !ok || key != "session" && key != "session_config" {
		w.walk([]string{key}, v)
		return
	}
	for _, below := range names(group) {
		w.top(shown+"."+below, below, group[below])
	}
}

// walk handles a key of ours, or a group of them.
func (w *walker) walk(at []string, v any) {
	if v == nil {
		return
	}
	source, shown := w.source(at)
	if at[0] == "stores" && len(at) == 2 && registered(at[1]) != nil {
		w.own(at[1], source, shown, v)
		return
	}
	e, star, group := find(at)
	switch {
	case e != nil:
		if source == environment {
			_, shown = w.source(append(at, firstBelow(v)...)) // somebody set what is below a key
		}
		w.items = append(w.items, item{w.layer.number, source, shown, e.Name, w.named(at[0], star), e, v})
	case !group && len(at) == 1 && source == environment:
		w.variable(at[0], v)
	case !group:
		w.unknown(at, source, shown)
	default:
		w.group(at, source, shown, v)
	}
}

// firstBelow is the way to the first value of a group, nothing for a value.
func firstBelow(v any) (way []string) {
	for group, ok := v.(map[string]any); ok && len(group) > 0; group, ok = v.(map[string]any) {
		first := names(group)[0]
		way, v = append(way, first), group[first]
	}
	return way
}

func (w *walker) group(at []string, source, shown string, v any) {
	tree, ok := v.(map[string]any)
	if !ok && at[0] == "secrets" {
		w.b.refuse(source, shown, "", "a secret does not belong in this file; name what holds it: secrets.env, "+
			"secrets.file or secrets.command")
		return
	}
	if !ok {
		found := show(v)
		if at[0] == "connections" {
			found = "" // most likely a DSN
		}
		w.b.refuse(source, shown, found, "it is a group with the keys "+oneOf(within(at)))
		return
	}
	for _, key := range names(tree) {
		w.walk(append(slices.Clone(at), key), tree[key])
	}
}

// unknown refuses a key, and says what was perhaps meant, or once for each group what there is.
func (w *walker) unknown(at []string, source, shown string) {
	parent, last := at[:len(at)-1], at[len(at)-1]
	group, known := strings.Join(parent, "."), within(parent)
	hint := ""
	if len(parent) == 0 {
		hint = w.elsewhere(last)
		if w.b.preset != nil {
			known = append(known, w.b.preset.names()...)
		}
	}
	if hint == "" {
		hint = suggest(last, known)
	}
	if group == "stores" {
		hint += "a store of your own needs Register before Load; "
	}
	if hint == "" && !w.b.listed[group] {
		slices.Sort(known)
		w.b.listed[group] = true
		hint = "the keys here are " + oneOf(slices.Compact(known))
	}
	w.b.refuse(source, shown, "", strings.TrimRight("unknown key; "+hint, "; "))
}

// elsewhere finds a key of the highest level on a lower one, and in the presets.
func (w *walker) elsewhere(key string) string {
	for _, e := range schema {
		if strings.ReplaceAll(e.Name, ".", "_") == key {
			if w.layer.source == "" {
				return "did you mean " + envName(strings.Split(e.Name, ".")) + "? "
			}
			return "did you mean " + e.Name + "? "
		}
	}
	for _, name := range names(presets) {
		if _, ok := presets[name].alias(key); ok && w.b.preset == nil {
			return "it is a key of preset " + name + "; "
		}
	}
	return ""
}

// named finds the connection or the limit that the environment means: variables have no hyphens.
func (w *walker) named(group, star string) string {
	if w.layer.source != "" {
		return star
	}
	list := w.b.cfg.Connections()
	if group == "guard" {
		list = names(w.b.cfg.limits)
	}
	for _, name := range list {
		if strings.ReplaceAll(strings.ToLower(name), "-", "_") == star {
			return name
		}
	}
	return star
}

// own takes what stands below stores for a store that was registered.
func (w *walker) own(name, source, shown string, v any) {
	tree, ok := v.(map[string]any)
	if !ok {
		w.b.refuse(source, shown, "", "use a group of keys for the store")
		return
	}
	e := &entry{hidden: true, set: func(c *Config, _ string, v any) error {
		if c.own == nil {
			c.own = map[string]map[string]any{}
		}
		c.own[name] = merge(c.own[name], tree)
		return nil
	}}
	w.items = append(w.items, item{w.layer.number, source, shown, "stores." + name, "", e, v})
}

// merge puts one tree over another.
func merge(under, over map[string]any) map[string]any {
	all := map[string]any{}
	for key, v := range under {
		all[key] = v
	}
	for key, v := range over {
		below, ok := all[key].(map[string]any)
		above, also := v.(map[string]any)
		if ok && also {
			v = merge(below, above)
		}
		all[key] = v
	}
	return all
}
