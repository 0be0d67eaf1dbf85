package redisstore_test

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

func whole() *session.Record {
	return &session.Record{
		ID: "id", User: "ada", Version: 7,
		CreatedAt: time.UnixMicro(1).UTC(), SeenAt: time.UnixMicro(-2).UTC(), LoginAt: time.UnixMicro(3).UTC(),
		ExpiresAt: time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
		RemoteIP:  netip.MustParseAddr("2001:db8::1"), UserAgent: "a browser", Persistent: true,
		Data: []byte("\x00\xffdata"),
	}
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	alias := whole()
	alias.Kind, alias.Successor = session.KindAlias, "next"
	bare := &session.Record{ID: "id", Version: 1, CreatedAt: time.Time{}.UTC(), SeenAt: time.Time{}.UTC()}
	long := whole()
	long.User, long.Successor, long.UserAgent = strings.Repeat("u", 300), strings.Repeat("s", 300),
		strings.Repeat("a", 3000)
	zone := whole()
	zone.RemoteIP = netip.MustParseAddr("fe80::1%eth0")
	for _, want := range []*session.Record{whole(), alias, bare, long, zone} {
		got, err := redisstore.Decode(want.ID, redisstore.Encode(want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Decode(Encode(%v)) = %+v, %v", want, got, err)
		}
	}
}

func TestRecordsThatAreDamagedAreCorrupt(t *testing.T) {
	value := redisstore.Encode(whole())
	for n := range len(value) - len(whole().Data) {
		if _, err := redisstore.Decode("id", value[:n]); !errors.Is(err, session.ErrCorrupt) {
			t.Errorf("Decode of the first %d bytes = %v, want ErrCorrupt", n, err)
		}
	}
	for _, tt := range []struct {
		name string
		at   int
		put  string
	}{
		{"another format", 0, "2"},
		{"no version", 1, "x"},
		{"version 0", 1, strings.Repeat("0", 20)},
		{"a version that is too large", 1, strings.Repeat("9", 20)},
		{"no time", 25, "-"},
		{"the list of another user", 61, redisstore.UserList("bob")},
		{"no list", 61, strings.Repeat("-", 32)},
		{"a kind that there is not", redisstore.HeadSize, "\x03"},
		{"a flag that there is not", redisstore.HeadSize + 1, "\x02"},
		{"a user that is longer than all", redisstore.HeadSize + 18, "\xff\xff\xff\xff\x0f"},
		{"a length without an end", redisstore.HeadSize + 18, strings.Repeat("\xff", 11)},
	} {
		damaged := value[:tt.at] + tt.put + value[tt.at+len(tt.put):]
		if _, err := redisstore.Decode("id", damaged); !errors.Is(err, session.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", tt.name, err)
		}
	}
}

// Scripts compare times as text.
func TestTimesAreInOrderAsText(t *testing.T) {
	times := []string{
		redisstore.Micros(time.Time{}), redisstore.Micros(time.UnixMicro(-1)), redisstore.Micros(time.UnixMicro(0)),
		redisstore.Micros(time.UnixMicro(9)), redisstore.Micros(time.UnixMicro(10)),
		redisstore.Micros(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)),
		redisstore.Never,
	}
	for i := 1; i < len(times); i++ {
		if times[i-1] >= times[i] || len(times[i]) != 20 {
			t.Errorf("%s is not before %s", times[i-1], times[i])
		}
	}
	if got := redisstore.Expiry(time.Time{}); got != redisstore.Never {
		t.Errorf("Expiry of no time = %s, want never", got)
	}
}

func TestOnlyLiveRecordsOfAUserAreListed(t *testing.T) {
	if got := redisstore.ListOf(whole()); got != redisstore.UserList("ada") {
		t.Errorf("ListOf(a record of ada) = %s", got)
	}
	nobody, tombstone := whole(), whole()
	nobody.User, tombstone.Kind = "", session.KindTombstone
	for _, rec := range []*session.Record{nobody, tombstone} {
		if got := redisstore.ListOf(rec); strings.Trim(got, "-") != "" {
			t.Errorf("ListOf(%v of %q) = %s, want none", rec, rec.User, got)
		}
	}
}

// Whatever stands in the database, it is a record that is encoded like that, or corrupt.
func FuzzDecode(f *testing.F) {
	f.Add(redisstore.Encode(whole()))
	f.Add(redisstore.Encode(&session.Record{Version: 1}))
	f.Add("")
	f.Add(redisstore.Encode(whole())[:redisstore.HeadSize+18] + "\x80\x00")
	f.Fuzz(func(t *testing.T, value string) {
		rec, err := redisstore.Decode("id", value)
		if err != nil {
			if !errors.Is(err, session.ErrCorrupt) || rec != nil {
				t.Fatalf("Decode = %v, %v, want ErrCorrupt and no record", rec, err)
			}
			return
		}
		again, err := redisstore.Decode("id", redisstore.Encode(rec))
		if err != nil || !reflect.DeepEqual(again, rec) {
			t.Fatalf("a record that was read does not come back: %+v, %v, want %+v", again, err, rec)
		}
	})
}
