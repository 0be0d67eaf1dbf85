package keys_test

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/keys"
)

func TestWhatPeopleTypeIsAWeakSecret(t *testing.T) {
	counting := make([]byte, keys.MinSecret)
	for i := range counting {
		counting[i] = byte(250 + 3*i)
	}
	weak := [][]byte{
		bytes.Repeat([]byte{0}, keys.MinSecret), []byte(strings.Repeat("correct horse ba", 2)), counting,
		[]byte("aabbccddeeffgghhiijjaabbccddeeffgghhiijj"), []byte("0123456789" + "9081726354" + "5463728190" + "13"),
		[]byte("Xk29 an Example of 32 bytes, no more"),
	}
	for _, secret := range weak {
		if !keys.IsWeak(secret) {
			t.Errorf("%q passes for a good secret", secret)
		}
	}
	good := make([]byte, keys.MinSecret)
	for range 100 {
		_, _ = rand.Read(good)
		if keys.IsWeak(good) {
			t.Fatalf("%x is taken for a weak one", good)
		}
	}
}
