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
func (c *core) shade(older []shadow) {
	if len(older) == 0 {
		return
	}
	if c.now == nil {
		c.now = &shadows{at: new(trie[uint64])}
	}
	for _, s := range older {
		if _, ok := c.now.at.above(s.path); ok {
			continue
		}
		newer := c.now.below(c.m.opts.Codec, s.path)
		c.now.put(c.m.opts.Codec, s)
		for _, s := range newer {
			c.now.put(c.m.opts.Codec, s)
		}
	}
}

// cast sets values of this request.
func (c *core) cast(newer ...shadow) {
	if c.now == nil && len(newer) > 0 {
		c.now = &shadows{at: new(trie[uint64])}
	}
	for _, s := range newer {
		c.now.put(c.m.opts.Codec, s)
	}
}

// latest is the time of the last Now.
func (c *core) latest() uint64 {
	if c.now == nil {
		return 0
	}
	return c.now.latest
}

// unshadow forgets the values of this request that a later operation replaced or removed, and does it to those around
// it. A value that has no such part must not hide what is stored.
func (c *core) unshadow(o op) {
	switch {
	case c.now == nil || !o.touchesData():
		return
	case o.kind == opClear:
		c.now = nil
		return
	case o.kind == opFlash:
		o.kind = opSet
	}
	c.now.drop(o.path)
	if top, ok := c.now.at.above(o.path); ok {
		o.path = within(top, o.path)
		if _, err := o.apply(&c.now.st, c.m.opts.Codec); err != nil {
			c.now.drop(top)
		}
	}
}

// look returns the encoded value at a path as this request sees it.
func (c *core) look(p path) ([]byte, bool, error) {
	codec := c.m.opts.Codec
	if c.now == nil {
		return c.st.at(codec, p)
	}
	if top, ok := c.now.at.above(p); ok && c.st.takes(codec, top) {
		return c.now.st.at(codec, within(top, p))
	}
	if c.now.at.at(p) == nil {
		return c.st.at(codec, p)
	}
	var view state
	if raw, ok, err := c.st.at(codec, p); ok && err == nil {
		view.put(p.key, raw)
	}
	for _, s := range c.now.below(codec, p) {
		if c.st.takes(codec, s.path) {
			view.lay(codec, path{p.key, s.path.steps[len(p.steps):]}, s.raw)
		}
	}
	return view.at(codec, path{key: p.key})
}

// has reports whether this request sees a value at a path.
func (c *core) has(p path) bool {
	if c.now == nil {
		return c.st.holds(c.m.opts.Codec, p)
	}
	_, ok, _ := c.look(p)
	return ok
}

// lay sets a value where it fits.
func (st *state) lay(c Codec, p path, raw []byte) {
	_, _ = st.change(c, p, func([]byte, bool) ([]byte, error) { return raw, nil })
}

// view is the state with the values of this request in it.
func (c *core) view() state {
	st, _ := c.st.clone(c.m.opts.Codec)
	for _, s := range c.now.since(c.m.opts.Codec, 0) {
		st.lay(c.m.opts.Codec, s.path, s.raw)
	}
	_ = st.flush(c.m.opts.Codec)
	return st
}
