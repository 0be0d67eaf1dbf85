package data

// Shadow is a value of this request only, which hides what is stored at its path.
type Shadow struct {
	Path Path
	Raw  []byte
}

// Shadows are the values of this request only: what Now set, and flash data that a commit has removed. None lies within
// another. A nil one is empty.
type Shadows struct {
	at     *trie[uint64] // when each was set
	st     State         // the values, each under the text of its path
	latest uint64
}

func (n *Shadows) clone(c Codec) *Shadows {
	if n == nil {
		return nil
	}
	st, _ := n.st.clone(c)
	return &Shadows{at: n.at.clone(), st: st, latest: n.latest}
}

// within is the path in n.st of a path at or below that of a shadow.
func within(shadow, p Path) Path { return Path{shadow.String(), p.steps[len(shadow.steps):]} }

// put sets a value, as a part of the value above it if there is one. What does not fit into that is not seen.
func (n *Shadows) put(c Codec, s Shadow) {
	n.latest++
	if top, ok := n.at.above(s.Path); ok && top.size() < s.Path.size() {
		o := Op{Kind: OpSet, Path: within(top, s.Path), Raw: s.Raw}
		if _, err := o.apply(&n.st, Rules{Codec: c}); err == nil {
			n.at.at(top).v = n.latest
		}
		return
	}
	n.drop(s.Path)
	t := n.at.grow(s.Path)
	t.has, t.v = true, n.latest
	n.st.put(s.Path.String(), s.Raw)
}

// drop forgets what is at and below a path.
func (n *Shadows) drop(p Path) {
	for q := range n.at.from(p) {
		n.st.put(q.String(), nil)
	}
	n.at.cut(p)
}

// Since returns the values that were set after a time.
func (n *Shadows) Since(c Codec, latest uint64) []Shadow {
	if n == nil {
		return nil
	}
	var list []Shadow
	for p, at := range n.at.all() {
		if at > latest {
			list = n.add(c, list, p)
		}
	}
	return list
}

func (n *Shadows) add(c Codec, list []Shadow, p Path) []Shadow {
	if raw, ok, err := n.st.raw(c, p.String()); ok && err == nil {
		list = append(list, Shadow{p, raw})
	}
	return list
}

// below returns the values at and below a path.
func (n *Shadows) below(c Codec, p Path) (list []Shadow) {
	for q := range n.at.from(p) {
		list = n.add(c, list, q)
	}
	return list
}

// lay sets a value where it fits.
func (st *State) lay(c Codec, p Path, raw []byte) {
	_, _ = st.change(Rules{Codec: c}, p, func([]byte, bool) ([]byte, error) { return raw, nil })
}
