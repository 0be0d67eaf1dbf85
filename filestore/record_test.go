package filestore_test

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// What a crash or a disk leaves of a file is never taken for a record.
func TestAFileCutAnywhereDoesNotDecode(t *testing.T) {
	file := encode(t, record("id"))
	for n := range len(file) {
		if _, err := filestore.Decode(file[:n:n]); !errors.Is(err, session.ErrCorrupt) {
			t.Errorf("Decode of %d of %d bytes = %v, want ErrCorrupt", n, len(file), err)
		}
	}
	if _, err := filestore.Decode(append(file, 0)); !errors.Is(err, session.ErrCorrupt) {
		t.Errorf("Decode of one byte too many = %v, want ErrCorrupt", err)
	}
}

func TestAFileWithAnyBitChangedDoesNotDecode(t *testing.T) {
	file := encode(t, record("id"))
	from, to := filestore.Slots()
	for i := range file {
		if i >= from && i < to {
			continue
		}
		for bit := range 8 {
			bad := bytes.Clone(file)
			bad[i] ^= 1 << bit
			if _, err := filestore.Decode(bad); !errors.Is(err, session.ErrCorrupt) {
				t.Errorf("Decode with bit %d of byte %d changed = %v, want ErrCorrupt", bit, i, err)
			}
		}
	}
}

func TestZeroesDoNotDecode(t *testing.T) {
	file := encode(t, record("id"))
	for n := range len(file) {
		bad := append(bytes.Clone(file[:n]), make([]byte, len(file)-n)...) // as when only some blocks reached the disk
		if _, err := filestore.Decode(bad); !bytes.Equal(bad, file) && !errors.Is(err, session.ErrCorrupt) {
			t.Errorf("Decode with zeroes from byte %d = %v, want ErrCorrupt", n, err)
		}
	}
}

func TestTimesComeBackToTheMicrosecond(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.Unix(0, 999), start, start.Add(1999), start.In(time.FixedZone("", 3600)),
		time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		rec := &session.Record{ID: "id", CreatedAt: at, SeenAt: at, LoginAt: at, ExpiresAt: at}
		got, err := filestore.Decode(encode(t, rec))
		if err != nil {
			t.Fatal(err)
		}
		for _, back := range []time.Time{got.CreatedAt, got.SeenAt, got.LoginAt, got.ExpiresAt} {
			if back.UnixMicro() != at.UnixMicro() || back.IsZero() != at.IsZero() {
				t.Errorf("%v came back as %v", at, back)
			}
		}
	}
}

func TestATimeTooFarAwayIsNotInThePast(t *testing.T) {
	rec := &session.Record{ID: "id", ExpiresAt: time.Unix(math.MaxInt64/1_000_000+1, 0)}
	got, err := filestore.Decode(encode(t, rec))
	if err != nil || got.ExpiresAt.Before(start) {
		t.Errorf("Decode = %v, %v, want a time in the future", got.ExpiresAt, err)
	}
}

func TestAddressesComeBack(t *testing.T) {
	for _, text := range []string{"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0"} {
		rec := &session.Record{ID: "id", RemoteIP: netip.MustParseAddr(text)}
		if got, err := filestore.Decode(encode(t, rec)); err != nil || got.RemoteIP != rec.RemoteIP {
			t.Errorf("%s came back as %v, %v", text, got, err)
		}
	}
}

// FuzzDecodeRecord looks for a file that does not stem from encoding and decodes all the same, and for panics.
func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(encode(f, &session.Record{ID: "id"}))
	f.Add(encode(f, record("id")))
	f.Fuzz(func(t *testing.T, file []byte) {
		rec, err := filestore.Decode(bytes.Clone(file))
		if err != nil {
			if !errors.Is(err, session.ErrCorrupt) {
				t.Errorf("Decode = %v, want ErrCorrupt", err)
			}
			return
		}
		rec.Version--
		if again := encode(t, rec); !bytes.Equal(withoutTouches(again), withoutTouches(file)) {
			t.Errorf("two files decode as one record:\n%q\n%q", file, again)
		}
	})
}

// withoutTouches returns what no touch changes and no sum of it covers: all but the slots, the times, and the sum.
func withoutTouches(file []byte) []byte {
	rest := bytes.Clone(file)
	from, _ := filestore.Slots()
	for _, part := range [][2]int{{from, 52}, {84, 92}, {100, 108}} {
		clear(rest[part[0]:part[1]])
	}
	return rest
}

func encode(t testing.TB, rec *session.Record) []byte {
	t.Helper()
	file, err := filestore.Encode(rec)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
