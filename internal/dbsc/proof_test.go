package dbsc_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/dbsc"
)

var (
	deviceKey, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	otherKey, _  = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rsaKey, _    = rsa.GenerateKey(rand.Reader, 2048)
	device       = parsed(jwk(deviceKey))
)

func jwk(k *ecdsa.PrivateKey) string {
	raw, err := k.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":%q,"y":%q}`, dbsc.Encode(raw[1:33]), dbsc.Encode(raw[33:]))
}

func rsaJWK(n *big.Int, e string) string {
	return fmt.Sprintf(`{"kty":"RSA","n":%q,"e":%q}`, dbsc.Encode(n.Bytes()), e)
}

// parsed is the key as a server reads it.
func parsed(jwk string) *dbsc.Key {
	p, err := dbsc.ParseProof(signed(header(jwk), claims, nil))
	if err != nil {
		panic(err)
	}
	return p.Key
}

func header(jwk string) string { return `{"alg":"ES256","typ":"dbsc+jwt","jwk":` + jwk + `}` }

const (
	bareHeader = `{"alg":"ES256","typ":"dbsc+jwt"}`
	claims     = `{"jti":"the challenge"}`
)

// signed is a proof with these parts, signed by a key if there is one.
func signed(header, claims string, key *ecdsa.PrivateKey) string {
	text := dbsc.Encode([]byte(header)) + "." + dbsc.Encode([]byte(claims))
	if key == nil {
		return text + "."
	}
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + dbsc.Encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// withKey is a proof that names this key.
func withKey(jwk string) string { return signed(header(jwk), claims, deviceKey) }

func TestAProofOfItsOwnKeyIsGood(t *testing.T) {
	p, err := dbsc.ParseProof(signed(header(jwk(deviceKey)), claims, deviceKey))
	if err != nil || p.Challenge != "the challenge" || p.Key == nil {
		t.Fatalf("ParseProof = %+v, %v", p, err)
	}
	if err := p.Verify(p.Key); err != nil {
		t.Error(err)
	}
	if p, err = dbsc.ParseProof(signed(bareHeader, claims, deviceKey)); err != nil || p.Key != nil {
		t.Fatalf("ParseProof = %+v, %v", p, err)
	}
	if err := p.Verify(device); err != nil {
		t.Error(err)
	}
	if p.Verify(parsed(jwk(otherKey))) == nil {
		t.Error("the proof is good with another key")
	}
}

// Both values of s are accepted, and no other signature of the same proof.
func TestBothSpellingsOfASignatureAreGood(t *testing.T) {
	text := signed(bareHeader, claims, deviceKey)
	cut := strings.LastIndex(text, ".")
	raw := make([]byte, 64)
	if _, err := strictDecode(raw, text[cut+1:]); err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(raw[32:]))
	s.FillBytes(raw[32:])
	p, err := dbsc.ParseProof(text[:cut+1] + dbsc.Encode(raw))
	if err != nil || p.Verify(device) != nil {
		t.Errorf("the other value of s is refused: %v", err)
	}
	for name, bad := range map[string][]byte{
		"63 bytes": raw[:63], "65 bytes": append(bytes.Clone(raw), 0), "none": nil,
		"zeros": make([]byte, 64), "ones": bytes.Repeat([]byte{0xff}, 64), "DER": der(raw),
	} {
		p, err := dbsc.ParseProof(text[:cut+1] + dbsc.Encode(bad))
		if err != nil {
			t.Fatal(err)
		}
		if p.Verify(device) == nil {
			t.Errorf("a signature of %s is good", name)
		}
	}
}

func der(raw []byte) []byte {
	return append(append([]byte{0x30, 68, 2, 32}, raw[:32]...), append([]byte{2, 32}, raw[32:]...)...)
}

func strictDecode(dst []byte, text string) (int, error) {
	var out []byte
	err := json.Unmarshal([]byte(`"`+strings.NewReplacer("-", "+", "_", "/").Replace(text)+`=="`), &out)
	return copy(dst, out), err
}

func TestWhatIsNoProofIsRefused(t *testing.T) {
	x, y := dbsc.Encode(make([]byte, 32)), dbsc.Encode(bytes.Repeat([]byte{1}, 32))
	even := new(big.Int).Sub(rsaKey.N, big.NewInt(1))
	good := signed(header(jwk(deviceKey)), claims, deviceKey)
	for name, text := range map[string]string{
		"nothing":               "",
		"two parts":             "a.b",
		"four parts":            good + ".",
		"padding":               good + "=",
		"a line break":          good[:10] + "\n" + good[10:],
		"another spelling":      dbsc.Encode([]byte(bareHeader)) + ".e31.", // whose last bits are not 0
		"plus":                  "+." + good,
		"too long":              good + strings.Repeat("A", dbsc.MaxProof),
		"no object":             signed(`[]`, claims, deviceKey),
		"two objects":           signed(bareHeader+bareHeader, claims, deviceKey),
		"a comma at the end":    signed(`{"alg":"ES256","typ":"dbsc+jwt",}`, claims, deviceKey),
		"cut short":             signed(`{"alg":"ES256","typ":"dbsc+jwt"`, claims, deviceKey),
		"no UTF-8":              signed(bareHeader, "{\"jti\":\"\xff\"}", deviceKey),
		"no type":               signed(`{"alg":"ES256"}`, claims, deviceKey),
		"another type":          signed(`{"alg":"ES256","typ":"JWT"}`, claims, deviceKey),
		"a newer type":          signed(`{"alg":"ES256","typ":"dbsc+aik"}`, claims, deviceKey),
		"no algorithm":          signed(`{"typ":"dbsc+jwt"}`, claims, deviceKey),
		"a number as algorithm": signed(`{"typ":"dbsc+jwt","alg":256}`, claims, deviceKey),
		"alg twice":             signed(`{"alg":"none","alg":"ES256","typ":"dbsc+jwt"}`, claims, deviceKey),
		"an extension":          signed(`{"alg":"ES256","typ":"dbsc+jwt","crit":["b64"]}`, claims, deviceKey),
		"no challenge":          signed(bareHeader, `{}`, deviceKey),
		"a number as challenge": signed(bareHeader, `{"jti":1}`, deviceKey),
		"challenge twice":       signed(bareHeader, `{"jti":"a","jti":"b"}`, deviceKey),
		"challenge in capitals": signed(bareHeader, `{"JTI":"a"}`, deviceKey),
		"audience a number":     signed(bareHeader, `{"jti":"a","aud":1}`, deviceKey),
		"audience empty":        signed(bareHeader, `{"jti":"a","aud":[]}`, deviceKey),
		"audience null":         signed(bareHeader, `{"jti":"a","aud":null}`, deviceKey),
		"key null":              withKey("null"),
		"key a text":            withKey(`"x"`),
		"key off the curve":     withKey(`{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + y + `"}`),
		"key at infinity":       withKey(`{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + x + `"}`),
		"key of another curve":  withKey(strings.Replace(jwk(deviceKey), "P-256", "P-384", 1)),
		"key too short":         withKey(`{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`),
		"key with x twice":      withKey(strings.Replace(jwk(deviceKey), "{", `{"x":"AA",`, 1)),
		"key private":           withKey(strings.Replace(jwk(deviceKey), "{", `{"d":"AA",`, 1)),
		"key symmetric":         withKey(`{"kty":"oct","k":"AA"}`),
		"key unknown":           withKey(`{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}`),
		"RSA too short":         withKey(rsaJWK(new(big.Int).Rsh(rsaKey.N, 8), "AQAB")),
		"RSA even":              withKey(rsaJWK(even, "AQAB")),
		"RSA of exponent 1":     withKey(rsaJWK(rsaKey.N, "AQ")),
		"RSA exponent with 0":   withKey(rsaJWK(rsaKey.N, "AAEAAQ")),
		"RSA large exponent":    withKey(rsaJWK(rsaKey.N, "_____w")),
	} {
		p, err := dbsc.ParseProof(text)
		if err == nil || p != nil {
			t.Errorf("%s: ParseProof = %+v, want it refused", name, p)
		} else if strings.Contains(err.Error(), "challenge\"") {
			t.Errorf("%s: the error tells of the text: %v", name, err)
		}
	}
}

// What another version of a browser adds does not make a proof bad.
func TestWhatIsNotKnownIsIgnored(t *testing.T) {
	p, err := dbsc.ParseProof(signed(
		`{"typ":"dbsc+jwt","kid":"x","alg":"ES256","jwk":`+strings.Replace(jwk(deviceKey), "{", `{"use":"sig",`, 1)+`}`,
		`{"iat":"1725579055","exp":1,"jti":"c","authorization":"ac","sub":{"a":1}}`, deviceKey))
	if err != nil || p.Challenge != "c" || p.Verify(p.Key) != nil {
		t.Errorf("ParseProof = %+v, %v", p, err)
	}
}

func TestTheAlgorithmIsThatOfTheKey(t *testing.T) {
	for _, alg := range []string{"none", "RS256", "HS256", "ES384", "es256", ""} {
		p, err := dbsc.ParseProof(signed(strings.Replace(bareHeader, "ES256", alg, 1), claims, deviceKey))
		if err != nil || p.Verify(device) == nil {
			t.Errorf("%q is good for a key of ES256: %v", alg, err)
		}
	}
}

func TestTheAudienceIsCheckedWhenItIsThere(t *testing.T) {
	const mine, theirs = "https://app.example.com/refresh", "https://evil.example.com/refresh"
	for claim, want := range map[string]bool{
		`"` + mine + `"`: true, `["` + theirs + `","` + mine + `"]`: true, `"` + theirs + `"`: false,
		`["` + theirs + `"]`: false, `""`: false, `"HTTPS://APP.EXAMPLE.COM/refresh"`: false,
	} {
		p, err := dbsc.ParseProof(signed(bareHeader, `{"jti":"c","aud":`+claim+`}`, deviceKey))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Verify(device, "https://app.example.com", mine); (got == nil) != want {
			t.Errorf("for the audience %s: %v, want it good: %v", claim, got, want)
		}
	}
}

// Every accepted change of a proof is a bug: it has one spelling but for its signature, of which there are two.
func FuzzProof(f *testing.F) {
	good := signed(header(jwk(deviceKey)), claims, deviceKey)
	for _, text := range []string{
		"", "a.b.c", good, signed(bareHeader, claims, deviceKey), signed(bareHeader, `{"jti":"c","aud":["a"]}`, nil),
		signed(header(rsaJWK(rsaKey.N, "AQAB")), claims, nil),
	} {
		f.Add(text)
	}
	body := good[:strings.LastIndex(good, ".")]
	f.Fuzz(func(t *testing.T, text string) {
		p, err := dbsc.ParseProof(text)
		if err != nil {
			if p != nil {
				t.Errorf("ParseProof(%q) = %+v, %v", text, p, err)
			}
			return
		}
		if p.Verify(device) == nil && !strings.HasPrefix(text, body+".") &&
			!strings.HasPrefix(text, dbsc.Encode([]byte(bareHeader))) {
			t.Errorf("%q is good", text)
		}
		if p.Key != nil {
			if again, err := dbsc.ParseKey(p.Key.Bytes()); err != nil || again.Thumbprint() != p.Key.Thumbprint() {
				t.Errorf("the key of %q does not come back: %v", text, err)
			}
		}
	})
}
