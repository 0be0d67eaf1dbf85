package session

import (
	"errors"
)

// at returns the encoded value at a path. The error says that the value of the key does not decode.
func (st *state) at(c Codec, p path) ([]byte, bool, error) {
	raw, ok := st.raw(p.key)
	if !ok || p.isKey() {
		return raw, ok, nil
	}
	v, err := tree(c, raw)
	if err != nil {
		return nil, false, err
	}
	v, ok = walk(v, p.steps)
	if !ok {
		return nil, false, nil
	}
	raw, err = c.Marshal(v)
	return raw, err == nil, err
}

// change replaces the value at a path by what fn makes of the encoded value there; nil leaves nothing there. It returns
// how many parents it made.
func (st *state) change(c Codec, p path, fn func(old []byte, ok bool) ([]byte, error)) (uint64, error) {
	raw, ok := st.raw(p.key)
	if p.isKey() {
		fresh, err := fn(raw, ok)
		if err == nil {
			st.put(p.key, fresh)
		}
		return 0, err
	}
	var root any = map[string]any{}
	made := uint64(1)
	if ok {
		var err error
		if root, err = tree(c, raw); err != nil {
			return 0, &DecodeError{Path: p.key, Err: err}
		}
		made = 0
	}
	root, below, err := edit(root, p.steps, func(old any, ok bool) (any, bool, error) { return changeTree(c, old, ok, fn) })
	if err != nil {
		return 0, err
	}
	fresh, err := c.Marshal(root)
	if err == nil {
		st.put(p.key, fresh)
	}
	return made + below, err
}

func changeTree(c Codec, old any, ok bool, fn func([]byte, bool) ([]byte, error)) (any, bool, error) {
	var raw []byte
	var err error
	if ok {
		if raw, err = c.Marshal(old); err != nil {
			return nil, false, err
		}
	}
	if raw, err = fn(raw, ok); err != nil || raw == nil {
		return nil, false, err
	}
	v, err := tree(c, raw)
	return v, true, err
}

var errNothing = errors.New("nothing there")

// drop removes the value at a path, which is no flash data then; errNothing when there is none.
func (st *state) drop(c Codec, p path) error {
	if _, ok, err := st.at(c, p); !ok || err != nil {
		return errors.Join(errNothing, err)
	}
	if _, err := st.change(c, p, func([]byte, bool) ([]byte, error) { return nil, nil }); err != nil {
		return err
	}
	st.unmark(p)
	st.moveUp(c, p)
	return nil
}
