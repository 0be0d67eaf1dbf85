package session_test

import (
	"bytes"
	"testing"

	"github.com/coatcheck/session"
)

// What is sealed in a cookie is authenticated before it is parsed, and still: any bytes give an error, or a record that
// encodes to what parses to the same.
func FuzzCarried(f *testing.F) {
	zeros := make([]byte, 32)
	good := append(append([]byte{1}, zeros...), 2, 4, 6, 0, 3, 'a', 'd', 'a', 1, 2, 0, 2, 0, 0, 0, 0, 0, 1, 'x', 1, '1')
	for n := range good {
		f.Add(good[:n])
	}
	f.Add(good)
	f.Add(append(append([]byte{1}, zeros...), bytes.Repeat([]byte{0xff}, 40)...))
	f.Add(append([]byte{2}, good[1:]...))
	f.Fuzz(func(t *testing.T, plain []byte) {
		again, rec, err := session.ParseCarried(plain)
		if err != nil {
			return
		}
		_, same, err := session.ParseCarried(again)
		if err != nil {
			t.Fatalf("what was encoded does not parse: %v", err)
		}
		if same.ID != rec.ID || same.User != rec.User || same.Version != rec.Version+1 ||
			!same.SeenAt.Equal(rec.SeenAt) || !same.ExpiresAt.Equal(rec.ExpiresAt) {
			t.Errorf("%v became %v", rec, same)
		}
	})
}
