package integration_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/coatcheck/session"
)

// A long record is sent in one piece, a short one in two, and the script puts the token of its list into both. Without
// it nobody could take the session off that list.
func TestARecordOfAnyLengthKeepsItsPlaceOnItsList(t *testing.T) {
	for _, size := range []int{0, 1023, 1024, 1025, 100_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			y := newYear(t, singleRedis(t))
			rec := &session.Record{ID: "a", User: "ada", ExpiresAt: y.after(1), Data: bytes.Repeat([]byte("1"), size)}
			for version, user := range []string{"ada", "ada", "bob", "bob", "", "ada"} {
				rec.User, rec.Version = user, uint64(version)
				save(t, y.store, rec)
				got := loaded(t, y.store, "a")
				if got.User != user || got.Version != uint64(version)+1 || !bytes.Equal(got.Data, rec.Data) {
					t.Fatalf("version %d of %q is of %q and has %d bytes", got.Version, user, got.User, len(got.Data))
				}
			}
			y.wantListed("ada", 1)
			y.wantListed("bob", 0)
			if err := y.store.Delete(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
			if listed := y.listed(); listed != 0 {
				t.Errorf("%d entries are left when the record is gone", listed)
			}
		})
	}
}
