package data

import "slices"

// Inherit adds what another session holds, under keys that are not here. Its flash data, all of which are of earlier
// requests, are seen in this one, and go with it. Values stay as they are encoded. What would make this session too
// large is left out, for its visitor can do nothing about that.
func (d *Doc) Inherit(r Rules, from *Doc) {
	rest, err := from.State.clone(r.Codec)
	flashed := slices.DeleteFunc(rest.age(r.Codec), func(s Shadow) bool {
		return d.State.holds(r.Codec, Path{key: s.Path.key})
	})
	if err != nil || rest.flush(r.Codec) != nil {
		return
	}
	size := d.State.Size()
	rest.Each(func(key string, raw []byte) {
		p, more := Path{key: key}, len(key)+len(raw)
		if d.State.holds(r.Codec, p) || r.MaxBytes > 0 && size+more > r.MaxBytes {
			return
		}
		size += more
		_ = d.Do(r, Op{Kind: OpSet, Path: p, Raw: raw}, true) // never refused: it fits, and a key has no parents
	})
	d.Cast(r.Codec, flashed...)
}
