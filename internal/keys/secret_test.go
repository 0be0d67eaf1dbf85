package keys_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
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

func TestWrittenSecretsAreReadOrRefusedByNumber(t *testing.T) {
	raw := make([]byte, keys.MinSecret)
	_, _ = rand.Read(raw)
	good := "base64:" + base64.StdEncoding.EncodeToString(raw)
	url := "base64:" + base64.RawURLEncoding.EncodeToString(raw)
	list, err := keys.ParseSecrets(" " + good + " , " + url)
	if err != nil || len(list) != 2 || !bytes.Equal(list[0], raw) || !bytes.Equal(list[1], raw) {
		t.Errorf("ParseSecrets = %x, %v", list, err)
	}
	for text, want := range map[string]string{
		" ": "at least one", good + ",": "secret 2 does not begin", "base64:?": "secret 1 is not base64",
		good + ",base64:AAAA": "number 2 has 3 bytes", "base64:" + strings.Repeat("AAAA", 11): "number 1 is not random",
	} {
		if _, err := keys.ParseSecrets(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseSecrets(%q) = %v, want %q", text, err, want)
		}
	}
}
