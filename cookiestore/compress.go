package cookiestore

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"
)

// packedForm is the first byte of a compressed record. A record as the manager makes it begins with its version, which
// is lower.
const packedForm = 0xff

var errTooLong = errors.New("cookiestore: it unpacks to more than the limit")

// Compressors are large, and are kept for the next use.
var (
	deflaters = sync.Pool{New: func() any { w, _ := flate.NewWriter(io.Discard, flate.DefaultCompression); return w }}
	inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}
)

// Pack compresses a record if the options say so and it becomes shorter. The manager calls it before it seals.
func (s *Store) Pack(plain []byte) []byte {
	if !s.compress {
		return plain
	}
	var packed bytes.Buffer
	packed.WriteByte(packedForm)
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&packed)
	_, err := w.Write(plain)
	if err = errors.Join(err, w.Close()); err != nil || packed.Len() >= len(plain) { // a buffer does not fail
		return plain
	}
	return packed.Bytes()
}

// Unpack undoes Pack, whatever the options say now. It fails rather than return more than limit bytes.
func (s *Store) Unpack(packed []byte, limit int) ([]byte, error) {
	if len(packed) == 0 || packed[0] != packedForm {
		return packed, nil
	}
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(packed[1:]), nil); err != nil {
		return nil, fmt.Errorf("cookiestore: unpack: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cookiestore: unpack: %w", err)
	case len(plain) > limit:
		return nil, errTooLong
	}
	return plain, nil
}
