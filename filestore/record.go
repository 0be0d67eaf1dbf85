package filestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"net/netip"
	"time"

	"github.com/coatcheck/session"
)

// A file is a header and the data. All numbers are little-endian, times are microseconds since 1970, and both sums are
// CRC-32C:
//
//	  0  magic, which ends in the version of the format
//	  8  two slots for touches, 20 bytes each; see touch.go
//	 48  sum of the header without the slots and this sum
//	 52  length of the header
//	 56  length of the data
//	 64  sum of the data
//	 68  version of the record
//	 76  times: created, seen, login, expires
//	108  kind
//	109  1 when persistent
//	110  lengths of the texts, two bytes each
//	120  the texts: id, user, successor, user agent, address
//
// The sums find accidents: torn, truncated and foreign files. They are no protection from somebody who may write to the
// folder; that is what the manager's seal is for.
const (
	magic     = "coatchk\x01"
	sumAt     = 48
	fixedAt   = 52
	fixedEnd  = 120
	textCount = 5

	maxText   = math.MaxUint16
	maxHeader = fixedEnd + textCount*maxText
	maxData   = 256 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode returns the file of the record, with the next version.
func encode(rec *session.Record) ([]byte, error) {
	texts, err := textsOf(rec)
	if err != nil {
		return nil, err
	}
	if len(rec.Data) > maxData {
		return nil, fmt.Errorf("%d bytes of data, at most %d: %w", len(rec.Data), maxData, session.ErrTooLarge)
	}
	size := fixedEnd
	for _, t := range texts {
		size += len(t)
	}
	b := make([]byte, fixedAt, size+len(rec.Data))
	copy(b, magic)
	b = appendFixed(b, rec, uint32(size))
	for _, t := range texts {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(t)))
	}
	for _, t := range texts {
		b = append(b, t...)
	}
	binary.LittleEndian.PutUint32(b[sumAt:], headerSum(b))
	return append(b, rec.Data...), nil
}

func textsOf(rec *session.Record) ([textCount]string, error) {
	var texts [textCount]string
	addr, err := rec.RemoteIP.MarshalBinary()
	if err != nil {
		return texts, err
	}
	texts = [textCount]string{rec.ID, rec.User, rec.Successor, rec.UserAgent, string(addr)}
	for i, t := range texts {
		if len(t) > maxText {
			name := [textCount]string{"id", "user", "successor", "user agent", "address"}[i]
			return texts, fmt.Errorf("%s of %d bytes, at most %d: %w", name, len(t), maxText, session.ErrTooLarge)
		}
	}
	return texts, nil
}

func appendFixed(b []byte, rec *session.Record, headerSize uint32) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(b, headerSize)
	b = le.AppendUint64(b, uint64(len(rec.Data)))
	b = le.AppendUint32(b, crc32.Checksum(rec.Data, castagnoli))
	b = le.AppendUint64(b, rec.Version+1)
	for _, t := range []time.Time{rec.CreatedAt, rec.SeenAt, rec.LoginAt, rec.ExpiresAt} {
		b = le.AppendUint64(b, uint64(micros(t)))
	}
	flags := byte(0)
	if rec.Persistent {
		flags = 1
	}
	return append(b, byte(rec.Kind), flags)
}

func headerSum(header []byte) uint32 {
	return crc32.Update(crc32.Checksum(header[:len(magic)], castagnoli), castagnoli, header[fixedAt:])
}

// decode reads a whole file. The record owns the slice afterwards.
func decode(file []byte) (*session.Record, error) {
	rec, head, err := decodeHeader(file, int64(len(file)))
	if err != nil {
		return nil, err
	}
	data := file[len(head):]
	if crc32.Checksum(data, castagnoli) != binary.LittleEndian.Uint32(head[64:]) {
		return nil, corrupt("the checksum of the data is wrong")
	}
	rec.Data = data[:len(data):len(data)]
	return rec, nil
}

// decodeHeader reads the header of a file of that size from its first bytes. Touches are in the record already.
func decodeHeader(start []byte, size int64) (rec *session.Record, head []byte, err error) {
	head, err = checkHeader(start, size)
	if err != nil {
		return nil, nil, err
	}
	rec, err = readFixed(head)
	if err != nil {
		return nil, nil, err
	}
	if err := readTexts(head, rec); err != nil {
		return nil, nil, err
	}
	latest(head).apply(rec)
	return rec, head, nil
}

// shortError says how many bytes of the file are needed to read its header.
type shortError int64

func (e shortError) Error() string { return fmt.Sprintf("the header has %d bytes", int64(e)) }

// checkHeader returns the part of start that is a header with the right lengths and the right sum.
func checkHeader(start []byte, size int64) ([]byte, error) {
	if len(start) < fixedEnd {
		return nil, corrupt("the file is too short")
	}
	if string(start[:len(magic)]) != magic {
		return nil, corrupt("it is not a session, or of a newer version of this package")
	}
	le := binary.LittleEndian
	headerSize, dataSize := int64(le.Uint32(start[fixedAt:])), le.Uint64(start[56:])
	if headerSize < fixedEnd || headerSize > maxHeader || dataSize > maxData || headerSize+int64(dataSize) != size {
		return nil, corrupt("the file has another length than it says")
	}
	if headerSize > int64(len(start)) {
		return nil, shortError(headerSize)
	}
	head := start[:headerSize]
	if headerSum(head) != le.Uint32(head[sumAt:]) {
		return nil, corrupt("the checksum of the header is wrong")
	}
	return head, nil
}

func readFixed(head []byte) (*session.Record, error) {
	if head[109] > 1 {
		return nil, corrupt("it has flags that this version does not know")
	}
	le := binary.LittleEndian
	at := func(offset int) time.Time { return fromMicros(int64(le.Uint64(head[offset:]))) }
	return &session.Record{
		Version:    le.Uint64(head[68:]),
		CreatedAt:  at(76),
		SeenAt:     at(84),
		LoginAt:    at(92),
		ExpiresAt:  at(100),
		Kind:       session.RecordKind(head[108]),
		Persistent: head[109] == 1,
	}, nil
}

func readTexts(head []byte, rec *session.Record) error {
	all := string(head[fixedEnd:])
	var addr string
	for i, to := range [textCount]*string{&rec.ID, &rec.User, &rec.Successor, &rec.UserAgent, &addr} {
		n := int(binary.LittleEndian.Uint16(head[110+2*i:]))
		if n > len(all) {
			return corrupt("a text is longer than the header")
		}
		*to, all = all[:n], all[n:]
	}
	if all != "" {
		return corrupt("the header is longer than its texts")
	}
	var ip netip.Addr
	if err := ip.UnmarshalBinary([]byte(addr)); err != nil {
		return corrupt("the address is malformed")
	}
	rec.RemoteIP = ip
	return nil
}

func corrupt(why string) error { return fmt.Errorf("%w: %s", session.ErrCorrupt, why) }

// micros cuts a time to microseconds. A time too far in the future becomes the last one that there is.
func micros(t time.Time) int64 {
	if t.Unix() >= math.MaxInt64/1_000_000 {
		return math.MaxInt64
	}
	return t.UnixMicro()
}

// fromMicros is the inverse of micros. The zero time is a number like any other.
func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// asShort returns the length that decodeHeader asked for.
func asShort(err error) (int64, bool) {
	var short shortError
	ok := errors.As(err, &short)
	return int64(short), ok
}
