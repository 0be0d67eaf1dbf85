// Package envelope is the form in which a session's data are kept: a header with what the library itself must know,
// then the entries, a key and an encoded value each. Entries are found by scanning, and this package decodes none:
// reading one key of fifty costs one key.
//
// All numbers are varints and all texts have their length before them. Parse checks every length once, so that what
// comes after need not.
package envelope

import (
	"encoding/binary"
	"errors"
	"iter"
	"math/bits"
	"strings"
	"time"
)

const version = 1

// OwnPrefix is how keys begin whose values are the library's own bookkeeping, and nothing of the application's.
const OwnPrefix = "coatcheck:"

// LoginPrefix is how those of them begin that go with the next Login, of the same user too. Two more do so.
const (
	LoginPrefix = OwnPrefix + "login:"
	FormSecret  = OwnPrefix + "csrf"
	Binding     = OwnPrefix + "bound"
)

// OfLogin reports whether what is kept under a key goes with the next Login.
func OfLogin(key string) bool {
	return strings.HasPrefix(key, LoginPrefix) || key == FormSecret || key == Binding
}

// ErrFormat is returned for bytes that are not an envelope of a version that this code knows.
var ErrFormat = errors.New("not an envelope of a known version")

// Flash says that the value at Path is flash data.
type Flash struct {
	Path string // as the caller writes paths
	Seq  uint64 // which Flash call it was, counted through the life of the session
	Made uint64 // how many parents of the value the call made
}

// Header is what the library keeps beside the data. Times are microseconds since 1970, 0 for none; durations are
// microseconds, 0 for the manager's own, negative for none.
type Header struct {
	Created, Login, Issued int64
	Idle, Lifetime         int64
	Persistent             uint64 // 0: as the manager has it, 1: yes, 2: no
	FlashSeq               uint64 // the last Seq given
	Flashes                []Flash

	// HasOwn says that there are entries whose keys begin with OwnPrefix. Parse finds it; it is not written.
	HasOwn bool
}

// Micro is a time as it stands in a header.
func Micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time is the time that stands in a header as us.
func Time(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Append appends the header, with which an envelope begins.
func (h *Header) Append(dst []byte) []byte {
	dst = append(dst, version)
	for _, n := range []int64{h.Created, h.Login, h.Issued, h.Idle, h.Lifetime} {
		dst = binary.AppendVarint(dst, n)
	}
	dst = binary.AppendUvarint(dst, h.Persistent)
	dst = binary.AppendUvarint(dst, h.FlashSeq)
	dst = binary.AppendUvarint(dst, uint64(len(h.Flashes)))
	for _, m := range h.Flashes {
		dst = appendText(dst, m.Path)
		dst = binary.AppendUvarint(dst, m.Seq)
		dst = binary.AppendUvarint(dst, m.Made)
	}
	return dst
}

// Size is how many bytes Append appends.
func (h *Header) Size() int {
	n := 1 + uvarintSize(h.Persistent) + uvarintSize(h.FlashSeq) + uvarintSize(uint64(len(h.Flashes)))
	for _, v := range []int64{h.Created, h.Login, h.Issued, h.Idle, h.Lifetime} {
		n += uvarintSize(uint64(v<<1) ^ uint64(v>>63)) // as varints are written
	}
	for _, m := range h.Flashes {
		n += textSize(len(m.Path)) + uvarintSize(m.Seq) + uvarintSize(m.Made)
	}
	return n
}

// EntrySize is how many bytes AppendEntry appends for a key and a value of these lengths.
func EntrySize(key, value int) int { return textSize(key) + textSize(value) }

func textSize(n int) int { return uvarintSize(uint64(n)) + n }

func uvarintSize(n uint64) int { return (bits.Len64(n|1) + 6) / 7 }

// AppendEntry appends an entry. Keys must not repeat.
func AppendEntry[K string | []byte](dst []byte, key K, value []byte) []byte {
	dst = appendText(dst, key)
	return appendText(dst, value)
}

func appendText[T string | []byte](dst []byte, text T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

// Parse splits an envelope into its header and its entries, which share memory with data.
func Parse(data []byte) (Header, Entries, error) {
	r := reader{data: data}
	h := r.header()
	from := r.at
	for r.more() {
		h.HasOwn = strings.HasPrefix(string(r.text()), OwnPrefix) || h.HasOwn
		r.skip()
	}
	if r.bad {
		return Header{}, nil, ErrFormat
	}
	return h, data[from:], nil
}

// ParseAgain is Parse of data that it has split before, and found what HasOwn says. It need not look at the entries.
func ParseAgain(data []byte, hasOwn bool) (Header, Entries, error) {
	r := reader{data: data}
	h := r.header()
	h.HasOwn = hasOwn
	if r.bad {
		return Header{}, nil, ErrFormat
	}
	return h, data[r.at:], nil
}

func (r *reader) header() Header {
	if r.byte() != version {
		r.fail()
		return Header{}
	}
	h := Header{Created: r.varint(), Login: r.varint(), Issued: r.varint(), Idle: r.varint(), Lifetime: r.varint()}
	h.Persistent, h.FlashSeq = r.uvarint(), r.uvarint()
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		h.Flashes = append(h.Flashes, Flash{Path: string(r.text()), Seq: r.uvarint(), Made: r.uvarint()})
	}
	return h
}

// Entries are the encoded entries of a parsed envelope.
type Entries []byte

// Find returns the value of the key, which shares memory with the entries.
func (e Entries) Find(key string) ([]byte, bool) {
	at := e.Index(key)
	if at < 0 {
		return nil, false
	}
	_, v, _ := e.At(at)
	return v, true
}

// Index returns where the entry of the key begins, -1 if there is none.
func (e Entries) Index(key string) int {
	r := reader{data: e}
	for r.more() {
		at := r.at
		if string(r.text()) == key {
			return at
		}
		r.skip()
	}
	return -1
}

// At returns the entry that begins there, and where it ends. Key and value share memory with the entries.
func (e Entries) At(from int) (key, value []byte, to int) {
	r := reader{data: e, at: from}
	key, value = r.text(), r.text()
	return key, value, r.at
}

// FindTwo returns the values of two keys, nil for one that is not there. They share memory with the entries.
func (e Entries) FindTwo(one, two string) (first, second []byte) {
	r := reader{data: e}
	for r.more() {
		switch k, v := r.text(), r.text(); string(k) {
		case one:
			first = v
		case two:
			second = v
		}
	}
	return first, second
}

// All goes through keys and values, which share memory with the entries.
func (e Entries) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		r := reader{data: e}
		for r.more() {
			if !yield(r.text(), r.text()) {
				return
			}
		}
	}
}

// reader reads one field after another and remembers whether one was cut off. It counts, where it could cut off what it
// has read: to move a slice costs more than all else here while garbage is collected.
type reader struct {
	data []byte
	at   int // where the next field begins
	bad  bool
}

func (r *reader) more() bool { return r.at < len(r.data) }

func (r *reader) fail() { r.at, r.bad = len(r.data), true }

func (r *reader) byte() byte {
	if !r.more() {
		r.fail()
		return 0
	}
	b := r.data[r.at]
	r.at++
	return b
}

// uvarint reads the usual number, which has one byte or two, by itself.
func (r *reader) uvarint() uint64 {
	if rest := r.data[r.at:]; len(rest) > 1 {
		switch one, two := uint64(rest[0]), uint64(rest[1]); {
		case one < 0x80:
			r.at++
			return one
		case two < 0x80:
			r.at += 2
			return one&0x7f | two<<7
		}
	}
	n, size := binary.Uvarint(r.data[r.at:])
	if size <= 0 {
		r.fail()
		return 0
	}
	r.at += size
	return n
}

// varint reads a number with a sign, which is its lowest bit.
func (r *reader) varint() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

func (r *reader) text() []byte {
	n := r.length()
	text := r.data[r.at : r.at+n : r.at+n]
	r.at += n
	return text
}

// skip goes past a text.
func (r *reader) skip() { r.at += r.length() }

// length reads how long the text is that follows, 0 when it is cut off.
func (r *reader) length() int {
	n := r.uvarint()
	if n > uint64(len(r.data)-r.at) {
		r.fail()
		return 0
	}
	return int(n)
}
