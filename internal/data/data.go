package data

import "slices"

// Rules are what the data of a session must keep to.
type Rules struct {
	Codec    Codec
	MaxBytes int  // what all keys and encoded values may add up to; 0: as much as there is
	Rough    bool // no commit will succeed any more, so that what is known of the size will do
}

// Doc is what one request sees and makes of a session: what is stored, what was done to it since, and what is of this
// request only. The zero value is an empty session. It has no lock.
type Doc struct {
	State   State
	Ops     []Op     // what was done and is not stored yet
	Shadows *Shadows // nil: none
}

// Share makes it ready to be copied by an assignment, after which the copy is parted from it. On an error something
// does not encode, and neither is to be stored.
func (d *Doc) Share(c Codec) error { return d.State.share(c) }

// Part makes a copy one that can be changed while others read the original.
func (d *Doc) Part(c Codec) {
	d.State.part()
	d.Ops, d.Shadows = slices.Clip(d.Ops), d.Shadows.clone(c)
}

// Do does an operation, also to the values of this request around it, and remembers it for a replay. It must not make
// the session too large. stored says that others may have put something into the session that is not seen here.
func (d *Doc) Do(r Rules, o Op, stored bool) error {
	o = o.seenIn(&d.State)
	changed, err := d.apply(r, o)
	if err != nil {
		return err
	}
	// A clear of what is empty counts too: on a conflict it wins over what was committed before it.
	if changed || o.Kind == OpClear && stored {
		d.Ops = append(d.Ops, o)
	}
	if o.Kind == OpUpdate && d.Shadows != nil {
		if raw, ok, err := d.State.At(r.Codec, o.Path); ok && err == nil {
			o = Op{Kind: OpSet, Path: o.Path, Raw: raw}
		}
	}
	d.unshadow(r.Codec, o)
	return nil
}

// Swap is Do of an OpUpdate whose function has run already and made the fresh value of the one that was seen. It
// reports false, and does nothing, when that is there no more.
func (d *Doc) Swap(r Rules, o Op, seen Seen, fresh []byte) (done bool, err error) {
	if !d.State.unchanged(r.Codec, o.Path, seen) {
		return false, nil
	}
	o = o.seenIn(&d.State)
	now := Op{Kind: OpUpdate, Path: o.Path, Fn: func([]byte, bool) ([]byte, error) { return fresh, nil }}
	if _, err := d.apply(r, now); err != nil {
		return true, err
	}
	d.Ops = append(d.Ops, o)
	d.unshadow(r.Codec, Op{Kind: OpSet, Path: o.Path, Raw: fresh})
	return true, nil
}

// apply does an operation that must not make the session too large.
func (d *Doc) apply(r Rules, o Op) (bool, error) {
	st, was := &d.State, d.State.Above()
	st.sure = st.sure || r.Rough
	r.MaxBytes = st.allowed(r.MaxBytes)
	changed, err := o.apply(st, r)
	if was == nil && st.Above() != nil && err == nil {
		err = st.count(r.Codec)
	}
	if st.used <= r.MaxBytes {
		st.fits()
	}
	return changed, err
}

// Replay does the operations that are not stored again, after a newer state was put in the place of the one that was
// there.
func (d *Doc) Replay(c Codec) error {
	for _, o := range d.Ops {
		if _, err := o.apply(&d.State, Rules{Codec: c}); err != nil {
			return err
		}
	}
	return nil
}

// Stored takes note that the state is stored. aged are the flash data that went with that, which this request still
// sees.
func (d *Doc) Stored(c Codec, aged []Shadow) {
	d.Ops = nil
	d.State.fits()
	d.shade(c, aged)
}

// KeepShown keeps flash data readable in this request when another request has consumed them meanwhile.
func (d *Doc) KeepShown(c Codec, shown []Shadow) {
	shown = slices.DeleteFunc(shown, func(s Shadow) bool {
		_, ok, _ := d.State.At(c, s.Path)
		return ok
	})
	d.shade(c, shown)
}

// shade hides values behind those of this request that are there already.
func (d *Doc) shade(c Codec, older []Shadow) {
	if len(older) == 0 {
		return
	}
	if d.Shadows == nil {
		d.Shadows = &Shadows{at: new(trie[uint64])}
	}
	for _, s := range older {
		if _, ok := d.Shadows.at.above(s.Path); ok {
			continue
		}
		newer := d.Shadows.below(c, s.Path)
		d.Shadows.put(c, s)
		for _, s := range newer {
			d.Shadows.put(c, s)
		}
	}
}

// Cast sets values of this request.
func (d *Doc) Cast(c Codec, newer ...Shadow) {
	if d.Shadows == nil && len(newer) > 0 {
		d.Shadows = &Shadows{at: new(trie[uint64])}
	}
	for _, s := range newer {
		d.Shadows.put(c, s)
	}
}

// Latest is the time of the last Cast, for Shadows.Since.
func (d *Doc) Latest() uint64 {
	if d.Shadows == nil {
		return 0
	}
	return d.Shadows.latest
}

// unshadow forgets the values of this request that a later operation replaced or removed, and does it to those around
// it. A value that has no such part must not hide what is stored.
func (d *Doc) unshadow(c Codec, o Op) {
	switch {
	case d.Shadows == nil || !o.TouchesData():
		return
	case o.Kind == OpClear: // but for how often something was set, by which a commit that is under way goes
		d.Shadows = &Shadows{at: new(trie[uint64]), latest: d.Shadows.latest}
		return
	case o.Kind == OpFlash:
		o.Kind = OpSet
	case o.Kind == OpAdd:
		o.On = false // nothing of this request only is flash data
	}
	d.Shadows.drop(o.Path)
	if top, ok := d.Shadows.at.above(o.Path); ok {
		o.Path = within(top, o.Path)
		if _, err := o.apply(&d.Shadows.st, Rules{Codec: c}); err != nil {
			d.Shadows.drop(top)
		}
	}
}

// Look returns the encoded value at a path as this request sees it.
func (d *Doc) Look(c Codec, p Path) ([]byte, bool, error) {
	if d.Shadows == nil {
		return d.State.At(c, p)
	}
	if top, ok := d.Shadows.at.above(p); ok && d.State.takes(c, top) {
		return d.Shadows.st.At(c, within(top, p))
	}
	if d.Shadows.at.at(p) == nil {
		return d.State.At(c, p)
	}
	var view State
	if raw, ok, err := d.State.At(c, p); ok && err == nil {
		view.put(p.key, raw)
	}
	for _, s := range d.Shadows.below(c, p) {
		if d.State.takes(c, s.Path) {
			view.lay(c, Path{p.key, s.Path.steps[len(p.steps):]}, s.Raw)
		}
	}
	return view.At(c, Path{key: p.key})
}

// Has reports whether this request sees a value at a path.
func (d *Doc) Has(c Codec, p Path) bool {
	if d.Shadows == nil {
		return d.State.holds(c, p)
	}
	_, ok, _ := d.Look(c, p)
	return ok
}

// view is the state with the values of this request in it.
func (d *Doc) view(c Codec) State {
	st, _ := d.State.clone(c)
	for _, s := range d.Shadows.Since(c, 0) {
		st.lay(c, s.Path, s.Raw)
	}
	_ = st.flush(c)
	return st
}

// Raws are the encoded values of all keys of the application, as this request sees them.
func (d *Doc) Raws(c Codec) map[string][]byte {
	raws, view := map[string][]byte{}, d.view(c)
	view.Each(func(key string, raw []byte) { raws[key] = raw })
	return raws
}

// Reflashed is an OpFlash for each value that would go with this request: flash data of earlier ones, and what Cast
// set. Only what is at the paths counts, if there are any.
func (d *Doc) Reflashed(c Codec, only []string) []Op {
	wanted := new(trie[bool])
	for _, text := range only {
		if p, err := ParsePath(text); err == nil {
			wanted.grow(p).has = true
		}
	}
	var ops []Op
	for _, v := range append(d.State.Aging(c), d.Shadows.Since(c, 0)...) {
		if _, ok := wanted.above(v.Path); ok || len(only) == 0 {
			ops = append(ops, Op{Kind: OpFlash, Path: v.Path, Raw: v.Raw})
		}
	}
	return ops
}
