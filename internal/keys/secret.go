package keys

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MinSecret is how many bytes a secret has at least.
const MinSecret = 32

// ParseSecrets reads and checks secrets written as "base64:…,base64:…". The error says which one is wrong and never
// contains it.
func ParseSecrets(text string) (secrets [][]byte, err error) {
	if strings.TrimSpace(text) == "" { // there is no first one that could be wrong
		return nil, CheckSecrets(nil)
	}
	for i, part := range strings.Split(text, ",") {
		encoded, ok := strings.CutPrefix(strings.TrimSpace(part), "base64:")
		if !ok {
			return nil, fmt.Errorf(`secret %d does not begin with "base64:"`, i+1)
		}
		secret, err := decodeBase64(encoded)
		if err != nil {
			return nil, fmt.Errorf("secret %d is not base64", i+1)
		}
		secrets = append(secrets, secret)
	}
	return secrets, CheckSecrets(secrets)
}

// decodeBase64 takes both alphabets, with or without padding.
func decodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	return base64.RawStdEncoding.DecodeString(text)
}

// CheckSecrets refuses none, and those that are short or weak.
func CheckSecrets(secrets [][]byte) error {
	if len(secrets) == 0 {
		return errors.New("Secrets: at least one is required; make one with NewSecret and keep it")
	}
	for i, s := range secrets {
		if len(s) < MinSecret {
			return fmt.Errorf("Secrets: number %d has %d bytes; at least %d random ones are needed, see NewSecret", i+1,
				len(s), MinSecret)
		}
		if IsWeak(s) {
			return fmt.Errorf("Secrets: number %d is not random; make one with NewSecret", i+1)
		}
	}
	return nil
}

// IsWeak reports whether a secret of at least [MinSecret] bytes is what somebody typed, or copied from a document.
func IsWeak(secret []byte) bool { return isPattern(secret) || isPublished(secret) }

// isPattern finds what people type instead of a secret: a short text repeated, few different bytes, or bytes that
// count.
func isPattern(s []byte) bool {
	for period := 1; period < MinSecret && period < len(s); period++ {
		if 2*period <= len(s) && bytes.Equal(s[period:], s[:len(s)-period]) {
			return true
		}
	}
	var seen [256]bool
	different, step, counts := 0, s[1]-s[0], true
	for i, b := range s {
		if !seen[b] {
			seen[b] = true
			different++
		}
		counts = counts && (i == 0 || b-s[i-1] == step)
	}
	return counts || different < minDifferent
}

// minDifferent is how many different bytes a secret has at least. Random bytes in hexadecimal digits have up to 16.
const minDifferent = 11

// published are parts of the secrets that documents, ours too, and the templates of frameworks show.
var published = []string{"example", "changeme", "change-me", "change_me", "your-secret", "your_secret", "secret-key",
	"secret_key", "secretkey",
	"insecure", "thisismyscretkey", "password", "not-a-secret", "do-not-use"}

// isPublished finds what was copied from a document. Random bytes do not look so.
func isPublished(s []byte) bool {
	text := strings.ToLower(string(s))
	return slices.ContainsFunc(published, func(part string) bool { return strings.Contains(text, part) })
}
