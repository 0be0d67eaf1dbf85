package session

// shadow is a value of this request only, which hides what is stored at its path.
type shadow struct {
	path path
	raw  []byte
}

// shadows are the values of this request only: what Now set, and flash data that a commit has removed. None lies within
// another. A nil one is empty.
type shadows struct {
	at     *trie[uint64] // when each was set
	st     state         // the values, each under the text of its path
	latest uint64
}

func (n *shadows) clone(c Codec) *shadows {
	if n == nil {
		return nil
	}
	st, _ := n.st.clone(c)
	return &shadows{at: n.at.clone(), st: st, latest: n.latest}
}

// within is the path in n.st of a path at or below that of a shadow.
func within(shadow, p path) path { return path{shadow.String(), p.steps[len(shadow.steps):]} }

// put sets a value, as a part of the value above it if there is one. What does not fit into that is not seen.
func (n *shadows) put(c Codec, s shadow) {
	n.latest++
	if top, ok := n.at.above(s.path); ok && top.size() < s.path.size() {
		if _, err := (op{kind: opSet, path: within(top, s.path), raw: s.raw}).apply(&n.st, c); err == nil {
			n.at.at(top).v = n.latest
		}
		return
	}
	n.drop(s.path)
	t := n.at.grow(s.path)
	t.has, t.v = true, n.latest
	n.st.put(s.path.String(), s.raw)
}

// drop forgets what is at and below a path.
func (n *shadows) drop(p path) {
	for q := range n.at.from(p) {
		n.st.put(q.String(), nil)
	}
	n.at.cut(p)
}

// since returns the values that were set after a time.
func (n *shadows) since(c Codec, latest uint64) []shadow {
	if n == nil {
		return nil
	}
	var list []shadow
	for p, at := range n.at.all() {
		if at > latest {
			list = n.add(c, list, p)
		}
	}
	return list
}

func (n *shadows) add(c Codec, list []shadow, p path) []shadow {
	if raw, ok, err := n.st.raw(c, p.String()); ok && err == nil {
		list = append(list, shadow{p, raw})
	}
	return list
}

// below returns the values at and below a path.
func (n *shadows) below(c Codec, p path) (list []shadow) {
	for q := range n.at.from(p) {
		list = n.add(c, list, q)
	}
	return list
}

// shade hides values behind those of this request that are there already.
func (d *draft) shade(older []shadow) {
	if len(older) == 0 {
		return
	}
	if d.shadows == nil {
		d.shadows = &shadows{at: new(trie[uint64])}
	}
	for _, s := range older {
		if _, ok := d.shadows.at.above(s.path); ok {
			continue
		}
		newer := d.shadows.below(d.m.opts.Codec, s.path)
		d.shadows.put(d.m.opts.Codec, s)
		for _, s := range newer {
			d.shadows.put(d.m.opts.Codec, s)
		}
	}
}

// cast sets values of this request.
func (d *draft) cast(newer ...shadow) {
	if d.shadows == nil && len(newer) > 0 {
		d.shadows = &shadows{at: new(trie[uint64])}
	}
	for _, s := range newer {
		d.shadows.put(d.m.opts.Codec, s)
	}
}

// latest is the time of the last Now.
func (d *draft) latest() uint64 {
	if d.shadows == nil {
		return 0
	}
	return d.shadows.latest
}

// unshadow forgets the values of this request that a later operation replaced or removed, and does it to those around
// it. A value that has no such part must not hide what is stored.
func (d *draft) unshadow(o op) {
	switch {
	case d.shadows == nil || !o.touchesData():
		return
	case o.kind == opClear:
		d.shadows = nil
		return
	case o.kind == opFlash:
		o.kind = opSet
	}
	d.shadows.drop(o.path)
	if top, ok := d.shadows.at.above(o.path); ok {
		o.path = within(top, o.path)
		if _, err := o.apply(&d.shadows.st, d.m.opts.Codec); err != nil {
			d.shadows.drop(top)
		}
	}
}

// look returns the encoded value at a path as this request sees it.
func (d *draft) look(p path) ([]byte, bool, error) {
	codec := d.m.opts.Codec
	if d.shadows == nil {
		return d.st.at(codec, p)
	}
	if top, ok := d.shadows.at.above(p); ok && d.st.takes(codec, top) {
		return d.shadows.st.at(codec, within(top, p))
	}
	if d.shadows.at.at(p) == nil {
		return d.st.at(codec, p)
	}
	var view state
	if raw, ok, err := d.st.at(codec, p); ok && err == nil {
		view.put(p.key, raw)
	}
	for _, s := range d.shadows.below(codec, p) {
		if d.st.takes(codec, s.path) {
			view.lay(codec, path{p.key, s.path.steps[len(p.steps):]}, s.raw)
		}
	}
	return view.at(codec, path{key: p.key})
}

// has reports whether this request sees a value at a path.
func (d *draft) has(p path) bool {
	if d.shadows == nil {
		return d.st.holds(d.m.opts.Codec, p)
	}
	_, ok, _ := d.look(p)
	return ok
}

// lay sets a value where it fits.
func (st *state) lay(c Codec, p path, raw []byte) {
	_, _ = st.change(c, p, func([]byte, bool) ([]byte, error) { return raw, nil })
}

// view is the state with the values of this request in it.
func (d *draft) view() state {
	st, _ := d.st.clone(d.m.opts.Codec)
	for _, s := range d.shadows.since(d.m.opts.Codec, 0) {
		st.lay(d.m.opts.Codec, s.path, s.raw)
	}
	_ = st.flush(d.m.opts.Codec)
	return st
}
