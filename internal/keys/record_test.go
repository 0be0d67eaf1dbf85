package keys_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/keys"
)

// appending encodes a text as the body of a record.
func appending(body string) func([]byte) []byte {
	return func(dst []byte) []byte { return append(dst, body...) }
}

// bothForms seals and signs a body, and calls do with each.
func bothForms(t *testing.T, ring keys.Ring, row keys.Row, body string, do func(t *testing.T, data []byte)) {
	t.Helper()
	for name, encrypt := range map[string]bool{"signed": false, "sealed": true} {
		t.Run(name, func(t *testing.T) { do(t, ring.Seal(row, len(body), appending(body), encrypt)) })
	}
}

func TestARecordOpensInItsOwnRowOnly(t *testing.T) {
	row := keys.Row{ID: "ab", User: "c", Version: 3}
	bothForms(t, known, row, "the coat", func(t *testing.T, data []byte) {
		opens(t, known, data, row, "the coat")
		for _, other := range []keys.Row{
			{}, {"ab", "c", 2}, {"ab", "c", 4}, {"ab", "x", 3}, {"ax", "c", 3}, {"ab", "", 3},
			{"a", "bc", 3}, {"abc", "", 3}, {"", "abc", 3}, {"ab", "c\bthe", 3},
		} {
			if _, _, err := known.Open(data, other); err == nil {
				t.Errorf("it opens as %+v", other)
			}
		}
	})
}

func TestNoBitOfARecordCanBeChanged(t *testing.T) {
	row := keys.Row{ID: "ab", User: "c", Version: 3}
	bothForms(t, known, row, "the coat", func(t *testing.T, data []byte) {
		for i := range data {
			if _, _, err := known.Open(data[:i], row); err == nil {
				t.Errorf("it opens when cut at %d", i)
			}
			for bit := range 8 {
				data[i] ^= 1 << bit
				if _, _, err := known.Open(data, row); err == nil || strings.Contains(err.Error(), "coat") {
					t.Errorf("with bit %d of byte %d changed: %v", bit, i, err)
				}
				data[i] ^= 1 << bit
			}
		}
		if _, _, err := known.Open(append(data, 0), row); err == nil {
			t.Error("it opens with a byte more")
		}
	})
}

func TestARecordTellsWhichSecretMadeIt(t *testing.T) {
	row := keys.Row{ID: "ab", Version: 1}
	bothForms(t, ringOf(oldSecret), row, "", func(t *testing.T, data []byte) {
		for want, ring := range []keys.Ring{ringOf(oldSecret, freshSecret), ringOf(freshSecret, oldSecret)} {
			if body, signer, err := ring.Open(data, row); len(body) != 0 || signer != want || err != nil {
				t.Errorf("Open = %q by %d, %v, want nothing by %d", body, signer, err, want)
			}
		}
		if _, _, err := ringOf(freshSecret).Open(data, row); err == nil {
			t.Error("it opens without the secret that made it")
		}
	})
}

func TestTheSameRecordIsNeverSealedTheSame(t *testing.T) {
	row := keys.Row{ID: "ab", Version: 1}
	for _, encrypt := range []bool{false, true} {
		seal := func() string { return string(known.Seal(row, 4, appending("coat"), encrypt)) }
		if once, again := seal(), seal(); once == again {
			t.Errorf("encrypted %v: one nonce serves twice", encrypt)
		}
		if plain := strings.Contains(seal(), "coat"); plain == encrypt {
			t.Errorf("encrypted %v: it can be read: %v", encrypt, plain)
		}
	}
}

// The size is a guess for the buffer, and may be wrong.
func TestAWrongSizeSpoilsNothing(t *testing.T) {
	row, body := keys.Row{ID: "ab", Version: 1}, strings.Repeat("the coat ", 1000)
	for _, encrypt := range []bool{false, true} {
		opens(t, known, known.Seal(row, 0, appending(body), encrypt), row, body)
		opens(t, known, known.Seal(row, 1<<16, appending(body), encrypt), row, body)
	}
}

// What a session needs in memory, and what a store keeps of it, is the buffer and not what is in it.
func TestARecordTakesNoMoreRoomThanItNeeds(t *testing.T) {
	for _, version := range []uint64{1, 127, 128, math.MaxUint64} {
		for _, user := range []string{"", "ada", strings.Repeat("u", 255)} {
			row := keys.Row{ID: strings.Repeat("a", 64), User: user, Version: version}
			if data := known.Seal(row, 8, appending("the coat"), false); cap(data) != len(data) {
				t.Errorf("version %d of %q: room for %d bytes, want %d", version, user, cap(data), len(data))
			}
		}
	}
}

// A proof is for the row that its data are of, whatever record a store returns with it.
func TestAProofHoldsForItsOwnRowOnly(t *testing.T) {
	row := keys.Row{ID: "ab", User: "c", Version: 3}
	data := known.Seal(row, 8, appending("the coat"), false)
	proof := known.Prove(data)
	if body, ok := known.Proven(proof, data, row); !ok || string(body) != "the coat" {
		t.Errorf("Proven = %q, %v, want the coat", body, ok)
	}
	for _, other := range []keys.Row{{}, {"ab", "c", 2}, {"ab", "x", 3}, {"ax", "c", 3}, {"a", "bc", 3}} {
		if body, ok := known.Proven(proof, data, other); ok || body != nil {
			t.Errorf("it holds for %+v", other)
		}
	}
	for what, bytes := range map[string][]byte{
		"a copy": slices.Clone(data), "a part": data[:len(data)-1], "none": nil,
	} {
		if _, ok := known.Proven(proof, bytes, row); ok {
			t.Errorf("it holds for %s", what)
		}
	}
	if _, ok := ringOf(freshSecret, oldSecret).Proven(proof, data, row); ok {
		t.Error("it holds under another key")
	}
	for _, bytes := range [][]byte{nil, data[:20], known.Seal(row, 8, appending("the coat"), true)} {
		if known.Prove(bytes) != nil {
			t.Errorf("there is a proof of %d bytes that are not signed", len(bytes))
		}
	}
}
