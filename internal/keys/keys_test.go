package keys_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/keys"
)

// cookie is the name under which the tests sign.
const cookie = "__Host-Http-session"

const (
	publicSecret = "for the fuzz corpus, known to all"
	oldSecret    = "an old secret, known to everybody"
	freshSecret  = "a new secret, known to everybody"
	oldestSecret = "the first secret, known to everybody"
)

// known is a ring whose secret everybody knows, so that texts of it can stand in tests and in a corpus.
var known = ringOf(publicSecret)

func ringOf(secrets ...string) keys.Ring {
	var list [][]byte
	for _, s := range secrets {
		list = append(list, []byte(s))
	}
	return keys.NewRing(list)
}

// counted is the ticket whose bytes count up from first.
func counted(first byte) (t keys.Ticket) {
	for i := range t {
		t[i] = first + byte(i)
	}
	return t
}

func unbase64(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// opens fails the test unless data open as this body.
func opens(t *testing.T, ring keys.Ring, data []byte, row keys.Row, want string) {
	t.Helper()
	body, signer, err := ring.Open(data, row)
	if err != nil || signer != 0 || string(body) != want {
		t.Errorf("Open = %q by %d, %v, want %q by 0", body, signer, err, want)
	}
}

// These were made before this package was one of its own. A release that does not open them signs everybody out.
const (
	oldTicket = "v1.AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA.B7pWcyP36P5SXHAfavvxugVL0Cjru0diZYqqlYz3GHw"
	oldID     = "ae216c2ef5247a3782c135efa279a3e4cdc61094270f5d2be58c6204b7a612c9"
	oldSigned = "AWydVd84Xi9L7ISXSNazkf-s66fjGaSeZVFzXFk9Slv-B0BhZTIxNmMyZWY1MjQ3YTM3ODJjMTM1ZWZhMjc5YTNlNGNkYzYxMDk0" +
		"MjcwZjVkMmJlNThjNjIwNGI3YTYxMmM5A2FkYQEKAAwAAAAAAA"
	oldSealed  = "AmydVd-P-vhsesgp7JL-IUOaVWWq178yvxfnpaKe1FhUeJQx2cOsDtZ-SpytWgkOg9nUiYIN"
	oldToken   = "e1.bJ1V30YeMdJe5xG9Wuu_O2Z8KTo1z1znSps-JYajn80b7swXpX4b8vJbqjwvx3oOJdA"
	oldValue   = "ZGFyaw.AAAAAAAAAABkZzBo80FCFJ-R23oi1Ly46whAKqzRoJAMd7DjYvilSQ"
	oldMinute  = "ZGFyaw.AAYKJBuxxwCU46T1zRycUJb0EvBvvK1FVZsbHmnOSYvdWQmf8vFtxA"
	oldNext    = "3OZtueC51kuMB-n7q9-rC1yrN517zVAuWqVZKxo57feX6fMfhhl7FSsn3jvlwPoSHCpwmCVbQDoQdeDgy4kfe7DpNSFvqdSc"
	oldContent = "\x01\n\x00\f\x00\x00\x00\x00\x00"
)

func TestTextsOfYesterdayOpenToday(t *testing.T) {
	ticket := counted(1)
	if got := ticket.Text(known, cookie); got != oldTicket || len(got) != keys.TicketSize || ticket.ID() != oldID {
		t.Errorf("the ticket is %q with the id %q, want %q with %q", got, ticket.ID(), oldTicket, oldID)
	}
	if got, _, err := keys.ParseTicket(oldTicket, known, cookie); got != ticket || err != nil {
		t.Errorf("the ticket of yesterday is another, %v", err)
	}
	packed, _, err := known.OpenToken(oldToken, [][]byte{keys.BindToken(cookie)})
	if string(packed) != "packed" || err != nil {
		t.Errorf("OpenToken = %q, %v", packed, err)
	}
	for text, until := range map[string]time.Time{oldValue: {}, oldMinute: time.Unix(1700000060, 0)} {
		if got := known.SignValue("theme", "dark", until); got != text {
			t.Errorf("SignValue until %v = %q, want %q", until, got, text)
		}
		if got, err := known.CheckValue("theme", text, time.Unix(1700000000, 0)); got != "dark" || err != nil {
			t.Errorf("CheckValue(%q) = %q, %v", text, got, err)
		}
	}
}

func TestRecordsOfYesterdayOpenToday(t *testing.T) {
	row := keys.Row{ID: oldID, User: "ada", Version: 7}
	for _, text := range []string{oldSigned, oldSealed} {
		opens(t, known, unbase64(t, text), row, oldContent)
	}
	if !keys.IsSigned(unbase64(t, oldSigned)) || keys.IsSigned(unbase64(t, oldSealed)) {
		t.Error("IsSigned takes one form for the other")
	}
	if keys.IsSigned(nil) || keys.IsSigned([]byte{1, 0, 0, 0}) {
		t.Error("IsSigned takes for a record what is too short to be one")
	}
	var next keys.Ticket
	for i := range next {
		next[i] = byte(200 - i)
	}
	got, err := keys.OpenTicket(counted(1), unbase64(t, oldNext), oldID, next.ID())
	if got != next || err != nil {
		t.Errorf("the alias of yesterday does not lead to its successor: %v", err)
	}
}

// Keys of one purpose are worth nothing for another, although there is one secret.
func TestNothingPassesForWhatItIsNot(t *testing.T) {
	value := known.SignValue(cookie, string(counted(1).Text(known, cookie)), time.Time{})
	for _, text := range []string{value, "v1." + value, oldToken, "v1." + oldToken[3:]} {
		if _, _, err := keys.ParseTicket(text, known, cookie); !errors.Is(err, keys.ErrMalformed) {
			t.Errorf("ParseTicket(%q) = %v, want ErrMalformed", text, err)
		}
	}
	sealed := unbase64(t, oldSealed)
	token := "e1." + base64.RawURLEncoding.EncodeToString(sealed[1:])
	if _, _, err := known.OpenToken(token, [][]byte{keys.BindToken(cookie)}); !errors.Is(err, keys.ErrBadSignature) {
		t.Errorf("a record as a token: %v, want ErrBadSignature", err)
	}
	box := append([]byte{sealed[0]}, unbase64(t, oldToken[3:])...)
	if _, _, err := known.Open(box, keys.Row{}); err == nil {
		t.Error("a token opens as a record")
	}
}

// A text that means the same as ours is not ours: a line break where a decoder skips it, bits at the end that it drops.
func TestNothingHasTwoSpellings(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	value := known.SignValue("theme", "dar", time.Time{}) // three bytes fill their four characters
	for text, check := range map[string]func(text string) error{
		oldTicket: func(text string) error { _, _, err := keys.ParseTicket(text, known, cookie); return err },
		oldValue:  func(text string) error { _, err := known.CheckValue("theme", text, noon); return err },
		value:     func(text string) error { _, err := known.CheckValue("theme", text, noon); return err },
		oldToken: func(text string) error {
			_, _, err := known.OpenToken(text, [][]byte{keys.BindToken(cookie)})
			return err
		},
	} {
		if err := check(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		for i := range len(text) + 1 {
			for _, b := range []string{"\n", "\r", "\r\n", "\n\n\n\n", "="} {
				if err := check(text[:i] + b + text[i:]); !refused(err) {
					t.Errorf("%q with %q at %d: %v", text, b, i, err)
				}
			}
			if i == len(text) || strings.IndexByte(alphabet, text[i]) < 0 {
				continue
			}
			stray := alphabet[strings.IndexByte(alphabet, text[i])^1]
			if err := check(text[:i] + string(stray) + text[i+1:]); !refused(err) {
				t.Errorf("%q with another last bit at %d: %v", text, i, err)
			}
		}
	}
}

// Whoever hands over secrets may wipe them.
func TestARingKeepsNoSecret(t *testing.T) {
	secret := []byte(publicSecret)
	ring := keys.NewRing([][]byte{secret})
	clear(secret)
	if got := counted(1).Text(ring, cookie); got != oldTicket {
		t.Error("the ring signs otherwise after its secret was wiped")
	}
}
