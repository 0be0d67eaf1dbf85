package data

import "errors"

// opened is a value that was decoded because its parts are read or changed. It stays decoded while a request works on
// it, and is encoded again when its bytes are asked for.
type opened struct {
	tree  any
	err   error // it does not decode
	dirty bool  // the bytes are of an earlier tree
	size  int   // about how long it is when it is encoded
	edits int   // how often it was changed
}

// pending stands for the bytes of a value that is to be encoded.
var pending = []byte{}

// open decodes the value of a key, unless it is decoded already.
func (st *State) open(c Codec, key string) (*opened, bool) {
	if o := st.tree(key); o != nil {
		return o, true
	}
	raw, ok := st.stored(key)
	if !ok {
		return nil, false
	}
	o := &opened{size: len(raw)}
	o.tree, o.err = tree(c, raw)
	st.keep(key, o)
	return o, true
}

func (st *State) keep(key string, o *opened) {
	rest := st.rest()
	if rest.trees == nil {
		rest.trees = map[string]*opened{}
	}
	rest.trees[key] = o
}

// grew takes note that an opened value was changed, and about how many bytes longer it is.
func (st *State) grew(key string, o *opened, v any, more int) {
	if !o.dirty {
		st.own()
		st.set(key, pending)
	}
	o.tree, o.dirty, o.size, o.edits = v, true, o.size+more, o.edits+1
	st.used, st.sure = st.used+more, false
}

// flush encodes what was changed. A value that does not encode stays as it is, so that no commit succeeds.
func (st *State) flush(c Codec) error {
	if st.seldom == nil {
		return nil
	}
	var failed error
	for key, o := range st.seldom.trees {
		if err := st.encodeTree(c, key, o); err != nil {
			failed = err
		}
	}
	return failed
}

func (st *State) encodeTree(c Codec, key string, o *opened) error {
	if !o.dirty {
		return nil
	}
	raw, err := marshal(c, o.tree)
	if err != nil {
		return NotEncoded(Path{key: key}.String(), o.tree, err)
	}
	st.set(key, raw)
	st.used += len(raw) - o.size
	o.dirty, o.size = false, len(raw)
	return nil
}

// raw returns the encoded value of a key.
func (st *State) raw(c Codec, key string) ([]byte, bool, error) {
	if o := st.tree(key); o != nil {
		if err := st.encodeTree(c, key, o); err != nil {
			return nil, false, err
		}
	}
	raw, ok := st.stored(key)
	return raw, ok, nil
}

// node returns the decoded value at a path, which is the state's own: read it only. The error says that the value of
// the key does not decode.
func (st *State) node(c Codec, p Path) (any, bool, error) {
	o, ok := st.open(c, p.key)
	if !ok || o.err != nil {
		return nil, false, errOf(o)
	}
	v, ok := walk(o.tree, p.steps)
	return v, ok, nil
}

func errOf(o *opened) error {
	if o == nil {
		return nil
	}
	return o.err
}

// At returns the encoded value at a path. The error says that the value of the key does not decode.
func (st *State) At(c Codec, p Path) ([]byte, bool, error) {
	if p.isKey() {
		return st.raw(c, p.key)
	}
	v, ok, err := st.node(c, p)
	if !ok {
		return nil, false, err
	}
	raw, err := marshal(c, v)
	return raw, err == nil, err
}

// holds reports whether there is a value at a path.
func (st *State) holds(c Codec, p Path) bool {
	if p.isKey() {
		_, ok := st.stored(p.key)
		return ok
	}
	_, ok, _ := st.node(c, p)
	return ok
}

// takes reports whether a value can be set at a path, and no parent of it is something else.
func (st *State) takes(c Codec, p Path) bool {
	if p.isKey() {
		return true
	}
	o, ok := st.open(c, p.key)
	if !ok {
		return true
	}
	v := o.tree
	for _, name := range p.steps {
		child, ok := step(v, name)
		if _, isMap := v.(map[string]any); !ok {
			return isMap && o.err == nil
		}
		v = child
	}
	return o.err == nil
}

// change replaces the value at a path by what fn makes of the encoded value there; nil leaves nothing there. It returns
// how many parents it made.
func (st *State) change(r Rules, p Path, fn changer) (uint64, error) {
	if !p.isKey() {
		return st.edit(r, p, func(old any, ok bool) (any, bool, int, error) { return changeTree(r.Codec, old, ok, fn) })
	}
	raw, ok, err := st.raw(r.Codec, p.key)
	if err != nil {
		return 0, err
	}
	fresh, err := fn(raw, ok)
	if err != nil {
		return 0, err
	}
	more := len(fresh) - len(raw)
	if !ok {
		more += len(p.key)
	}
	if err := st.room(r, p, more); err != nil {
		return 0, err
	}
	st.put(p.key, fresh)
	st.used, st.sure = st.used+more, false
	return 0, nil
}

// changer makes an encoded value of the one that is there.
type changer func(old []byte, ok bool) ([]byte, error)

func changeTree(c Codec, old any, ok bool, fn changer) (v any, keep bool, more int, err error) {
	var was, raw []byte
	if ok {
		if was, err = marshal(c, old); err != nil {
			return nil, false, 0, err
		}
	}
	if raw, err = fn(was, ok); err != nil || raw == nil {
		return nil, false, -len(was), err
	}
	v, err = tree(c, raw)
	return v, true, len(raw) - len(was), err
}

// edit replaces the decoded value at a path by what change makes of it, which also says about how many bytes longer
// that is. It returns how many parents it made.
func (st *State) edit(r Rules, p Path, change func(old any, ok bool) (any, bool, int, error)) (uint64, error) {
	o, there := st.open(r.Codec, p.key)
	if there && o.err != nil {
		return 0, &DecodeError{Path: Path{key: p.key}.String(), Err: o.err}
	}
	if !there {
		o = &opened{}
	}
	more := 0
	root, made, err := editRoot(o.tree, there, p.steps, func(old any, ok bool) (v any, keep bool, err error) {
		if v, keep, more, err = change(old, ok); err != nil {
			return nil, false, err
		}
		if !ok {
			more += len(p.name(len(p.steps))) + nameExtra
		}
		return v, keep, st.room(r, p, more)
	})
	if err != nil {
		return 0, err
	}
	if !there {
		st.keep(p.key, o)
	}
	st.grew(p.key, o, root, more)
	return made, nil
}

// nameExtra is about how much the name of a part takes beside itself.
const nameExtra = 4

func editRoot(root any, there bool, steps []string, change func(any, bool) (any, bool, error)) (any, uint64, error) {
	switch {
	case len(steps) == 0:
		v, _, err := change(root, there)
		return v, 0, err
	case there:
		return edit(root, steps, change)
	}
	root, made, err := edit(map[string]any{}, steps, change)
	return root, made + 1, err
}

var errNothing = errors.New("nothing there")

// drop removes the value at a path, which is no flash data then; errNothing when there is none.
func (st *State) drop(r Rules, p Path) error {
	if !st.holds(r.Codec, p) {
		return errNothing
	}
	if p.isKey() {
		st.used, st.sure = st.used-st.length(p.key)-len(p.key), false
		st.put(p.key, nil)
	} else if _, err := st.change(r, p, func([]byte, bool) ([]byte, error) { return nil, nil }); err != nil {
		return err
	}
	st.unflash(p)
	st.moveUp(r.Codec, p)
	return nil
}

// length is about how long the encoded value of a key is.
func (st *State) length(key string) int {
	if o := st.tree(key); o != nil {
		return o.size
	}
	raw, _ := st.stored(key)
	return len(raw)
}
