package envelope_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/envelope"
)

func sample() []byte {
	h := envelope.Header{Created: 1, Login: -2, Issued: 3, Idle: -1, Lifetime: 1 << 50, Persistent: 2, FlashSeq: 9,
		Flashes: []envelope.Flash{{Path: `a\.b.c`, Seq: 8, Made: 1}}}
	b := h.Append(nil)
	b = envelope.AppendEntry(b, "a.b", []byte(`{"c":1}`))
	b = envelope.AppendEntry(b, "", nil)
	return envelope.AppendEntry(b, "z", bytes.Repeat([]byte{0xff}, 300))
}

func TestWhatIsAppendedIsFound(t *testing.T) {
	h, entries, err := envelope.Parse(sample())
	if err != nil {
		t.Fatal(err)
	}
	if h.Login != -2 || h.Lifetime != 1<<50 || h.Persistent != 2 || h.FlashSeq != 9 || len(h.Flashes) != 1 {
		t.Errorf("header = %+v", h)
	}
	if v, ok := entries.Find("a.b"); !ok || string(v) != `{"c":1}` {
		t.Errorf("Find(a.b) = %q, %v", v, ok)
	}
	if v, ok := entries.Find("z"); !ok || len(v) != 300 {
		t.Errorf("Find(z) = %d bytes, %v", len(v), ok)
	}
	if _, ok := entries.Find("y"); ok {
		t.Error("Find(y) found what is not there")
	}
	n := 0
	for range entries.All() {
		n++
	}
	if n != 3 {
		t.Errorf("All gave %d entries, want 3", n)
	}
}

// An envelope that was cut within a field never parses; one cut between entries is the authentication's to catch.
func TestNoTruncationWithinAFieldParses(t *testing.T) {
	whole := sample()
	for n := range whole {
		h, entries, err := envelope.Parse(whole[:n])
		if err != nil {
			continue
		}
		again := h.Append(nil)
		again = append(again, entries...)
		if !bytes.Equal(again, whole[:n]) {
			t.Fatalf("cut at %d of %d parsed as something else", n, len(whole))
		}
	}
}

func TestTheSizeIsKnownBefore(t *testing.T) {
	for _, n := range []int64{0, 1, 63, 64, -64, -65, 1 << 20, -1 << 62, math.MaxInt64, math.MinInt64} {
		h := envelope.Header{Created: n, Lifetime: n, Persistent: uint64(n), FlashSeq: uint64(n)}
		h.Flashes = []envelope.Flash{{Path: strings.Repeat("p", 200), Seq: uint64(n), Made: 1}, {}}
		if got := len(h.Append(nil)); got != h.Size() {
			t.Errorf("of %d: Size = %d, want %d", n, h.Size(), got)
		}
	}
	for _, n := range []int{0, 1, 127, 128, 1 << 14} {
		key, value := strings.Repeat("k", n), make([]byte, 2*n)
		if got := len(envelope.AppendEntry(nil, key, value)); got != envelope.EntrySize(n, 2*n) {
			t.Errorf("of %d: EntrySize = %d, want %d", n, envelope.EntrySize(n, 2*n), got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample())
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		h, entries, err := envelope.Parse(data)
		if err != nil {
			return
		}
		again := append(h.Append(nil), entries...)
		h2, entries2, err := envelope.Parse(again)
		if err != nil || !reflect.DeepEqual(h, h2) || !bytes.Equal(entries, entries2) {
			t.Fatalf("does not survive a second round: %v", err)
		}
		for key := range entries.All() {
			if _, ok := entries.Find(string(key)); !ok {
				t.Fatal("a listed key is not found")
			}
		}
	})
}

func BenchmarkFindTheLastOfFifty(b *testing.B) {
	var h envelope.Header
	data := h.Append(nil)
	for i := range 50 {
		data = envelope.AppendEntry(data, string(rune('A'+i)), make([]byte, 200))
	}
	_, entries, _ := envelope.Parse(data)
	b.ReportAllocs()
	for b.Loop() {
		entries.Find(string(rune('A' + 49)))
	}
}

func BenchmarkParseFifty(b *testing.B) {
	var h envelope.Header
	data := h.Append(nil)
	for i := range 50 {
		data = envelope.AppendEntry(data, string(rune('A'+i)), make([]byte, 200))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := envelope.Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}
