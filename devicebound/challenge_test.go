package devicebound_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coatcheck/session/devicebound"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func wantSpend(t *testing.T, d *devicebound.Device, text string, want error) {
	t.Helper()
	if err := d.Spend(true, text); !errors.Is(err, want) || (err == nil) != (want == nil) {
		t.Errorf("Spend = %v, want %v", err, want)
	}
}

func TestAChallengeIsGoodOnce(t *testing.T) {
	d := devicebound.NewDevice(noon)
	for range 20 { // also when the clock stands
		text := d.Issue(true)
		wantSpend(t, d, text, nil)
		wantSpend(t, d, text, devicebound.ErrSpent)
	}
}

// Tabs that were asked at the same time may answer in any order, up to four of them.
func TestFourChallengesAreGoodInAnyOrder(t *testing.T) {
	for range 50 {
		d := devicebound.NewDevice(noon)
		var list []string
		for range 4 {
			d.Now = d.Now.Add(time.Duration(rand.IntN(3)) * time.Microsecond)
			list = append(list, d.Issue(true))
		}
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for _, text := range list {
			wantSpend(t, d, text, nil)
		}
		for _, text := range list {
			wantSpend(t, d, text, devicebound.ErrSpent)
		}
	}
}

// However many were used, in whatever order and by whatever clock, none is good a second time.
func TestNoChallengeIsGoodTwice(t *testing.T) {
	d := devicebound.NewDevice(noon)
	used, open := map[string]bool{}, []string{}
	for range 5000 {
		switch rand.IntN(6) {
		case 0, 1:
			open = append(open, d.Issue(true))
		case 2:
			d.Now = d.Now.Add(time.Duration(rand.Int64N(int64(4*time.Minute))) - time.Minute)
		default:
			if len(open) == 0 {
				continue
			}
			recent := open[max(len(open)-12, 0):] // of which most are not stale yet
			text := recent[rand.IntN(len(recent))]
			if err := d.Spend(true, text); err == nil && used[text] {
				t.Fatal("a challenge is good twice")
			} else if err == nil {
				used[text] = true
			}
			if raw := d.Bytes(); len(raw) > 200 {
				t.Fatalf("%d bytes are kept", len(raw))
			}
		}
	}
	if len(used) < 50 {
		t.Errorf("only %d challenges were used", len(used))
	}
}

func TestAChallengeIsGoodForFiveMinutes(t *testing.T) {
	d := devicebound.NewDevice(noon)
	text := d.Issue(true)
	d.Now = noon.Add(5*time.Minute + time.Microsecond)
	wantSpend(t, d, text, devicebound.ErrStale)
	d.Now = noon.Add(-time.Minute - time.Microsecond) // of a node whose clock is far ahead
	wantSpend(t, d, text, devicebound.ErrStale)
	d.Now = noon.Add(5 * time.Minute)
	wantSpend(t, d, text, nil)
}

func TestAChallengeIsOfItsSessionAndPurpose(t *testing.T) {
	d := devicebound.NewDevice(noon)
	if err := d.Spend(true, d.Issue(false)); !errors.Is(err, devicebound.ErrForeign) {
		t.Errorf("a challenge of a registration at a refresh: %v", err)
	}
	if err := d.Spend(false, d.Issue(true)); !errors.Is(err, devicebound.ErrForeign) {
		t.Errorf("a challenge of a refresh at a registration: %v", err)
	}
	text := d.Issue(true)
	for i := range text {
		for _, bad := range []string{text[:i], text[:i] + "\n" + text[i:], text[:i] + flipped(text[i]) + text[i+1:]} {
			wantSpend(t, d, bad, devicebound.ErrForeign)
		}
	}
	wantSpend(t, d, text+"=", devicebound.ErrForeign)
	wantSpend(t, d, text, nil)
}

func flipped(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

// What is kept has one spelling, and damage is found.
func FuzzBinding(f *testing.F) {
	d := devicebound.NewDevice(noon)
	f.Add(d.Bytes())
	_ = d.Spend(true, d.Issue(true))
	f.Add(d.Bytes())
	f.Add([]byte{})
	f.Add(append([]byte{1}, make([]byte, 32)...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if again, ok := devicebound.Reads(raw); ok && !bytes.Equal(raw, again) {
			t.Errorf("%x is read, and written as %x", raw, again)
		}
	})
}
