package redisstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
)

// A record is one string. What scripts look at stands first, each at its place: the format, then version, SeenAt and
// ExpiresAt as decimals of 20 digits, then the name of the list that the record is on, and its token there. After it
// come the other fields, then Data.
const (
	format    = "1"
	digits    = 20
	seenAt    = 1 + digits
	expiresAt = 1 + 2*digits
	listAt    = 1 + 3*digits
	tokenSize = 16
	headSize  = listAt + len(noList) + tokenSize
	// how much of a record is read for a listing; more than the manager's records have before their Data
	listed     = 1024
	persistent = 1 // a flag
)

// never is later than any time.
const never = "99999999999999999999"

func decimal(n uint64) string { return string(appendDecimal(make([]byte, 0, digits), n)) }

func appendDecimal(b []byte, n uint64) []byte {
	var room [digits]byte
	text := strconv.AppendUint(room[:0], n, 10)
	return append(append(b, "00000000000000000000"[len(text):]...), text...)
}

// micros writes a time so that later ones are larger texts. A zero time is one like any other.
func micros(t time.Time) string { return string(appendMicros(make([]byte, 0, digits), t)) }

func appendMicros(b []byte, t time.Time) []byte { return appendDecimal(b, uint64(t.UnixMicro())^1<<63) }

func expiry(t time.Time) string {
	if t.IsZero() {
		return never
	}
	return micros(t)
}

func corrupt(what string) error { return fmt.Errorf("%w: %s", session.ErrCorrupt, what) }

func parseDecimal(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, corrupt("no number where there must be one")
	}
	return n, nil
}

func parseMicros(text string) (time.Time, error) {
	n, err := parseDecimal(text)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMicro(int64(n ^ 1<<63)).UTC(), nil
}

// appendHead writes what the record begins with once it is saved.
func appendHead(b []byte, rec *session.Record) []byte {
	b = appendDecimal(append(b, format...), rec.Version+1)
	b = appendMicros(b, rec.SeenAt)
	if rec.ExpiresAt.IsZero() {
		return append(b, never...)
	}
	return appendMicros(b, rec.ExpiresAt)
}

// bodySize is room enough for the body of a record.
func bodySize(rec *session.Record) int {
	return 64 + len(rec.User) + len(rec.Successor) + len(rec.UserAgent) + len(rec.Data)
}

// appendBody writes the fields that no script looks at, and Data.
func appendBody(b []byte, rec *session.Record) []byte {
	var room [32]byte
	ip, _ := rec.RemoteIP.AppendBinary(room[:0]) // never fails
	var flags byte
	if rec.Persistent {
		flags |= persistent
	}
	b = append(b, byte(rec.Kind), flags)
	b = binary.BigEndian.AppendUint64(b, uint64(rec.CreatedAt.UnixMicro()))
	b = binary.BigEndian.AppendUint64(b, uint64(rec.LoginAt.UnixMicro()))
	b = appendText(b, rec.User)
	b = appendText(b, rec.Successor)
	b = appendText(b, ip)
	b = appendText(b, rec.UserAgent)
	return append(b, rec.Data...)
}

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// decode reads a whole record, which shares its bytes with the value.
func decode(id string, value []byte) (*session.Record, error) {
	rec, data, err := decodeHead(id, rueidis.BinaryString(value))
	if err != nil {
		return nil, err
	}
	if data != "" {
		rec.Data = value[len(value)-len(data):]
	}
	return rec, nil
}

// decodeHead reads all but Data, which it returns as it is.
func decodeHead(id, value string) (rec *session.Record, data string, err error) {
	if len(value) < headSize || value[:1] != format {
		return nil, "", corrupt("not the format of this store")
	}
	rec = &session.Record{ID: id}
	if rec.Version, err = parseDecimal(value[1:seenAt]); err != nil {
		return nil, "", err
	}
	if rec.Version == 0 {
		return nil, "", corrupt("version 0")
	}
	if rec.SeenAt, err = parseMicros(value[seenAt:expiresAt]); err != nil {
		return nil, "", err
	}
	if end := value[expiresAt:listAt]; end != never {
		if rec.ExpiresAt, err = parseMicros(end); err != nil {
			return nil, "", err
		}
	}
	r := reader{rest: value[headSize:]}
	r.body(rec)
	if r.broken {
		return nil, "", corrupt("a field that is torn or out of range")
	}
	var room [len(noList)]byte
	if value[listAt:listAt+len(noList)] != string(appendList(room[:0], rec)) {
		return nil, "", corrupt("on the list of another user")
	}
	return rec, r.rest, nil
}

// reader takes fields off the front. What it returns once it is broken means nothing.
type reader struct {
	rest   string
	broken bool
}

func (r *reader) body(rec *session.Record) {
	kind, flags := r.take(1), r.take(1)
	if r.broken || kind[0] > byte(session.KindTombstone) || flags[0] > persistent {
		r.broken = true
		return
	}
	rec.Kind, rec.Persistent = session.RecordKind(kind[0]), flags[0] == persistent
	rec.CreatedAt, rec.LoginAt = r.time(), r.time()
	rec.User, rec.Successor = r.text(), r.text()
	if err := rec.RemoteIP.UnmarshalBinary([]byte(r.text())); err != nil {
		rec.RemoteIP = netip.Addr{} // it is for people to look at, and no reason to keep somebody from a session
	}
	rec.UserAgent = r.text()
}

func (r *reader) take(n int) string {
	if r.broken || n > len(r.rest) {
		r.broken = true
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

func (r *reader) time() time.Time {
	text := r.take(8)
	if r.broken {
		return time.Time{}
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64([]byte(text)))).UTC()
}

func (r *reader) text() string {
	n, size := binary.Uvarint([]byte(r.rest[:min(len(r.rest), binary.MaxVarintLen64)]))
	if size <= 0 || n > math.MaxInt32 {
		r.broken = true
		return ""
	}
	r.take(size)
	return r.take(int(n))
}
