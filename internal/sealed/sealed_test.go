package sealed_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/coatcheck/session/internal/sealed"
)

// The vector of the C2SP specification of XAES-256-GCM: key 01…01, nonce "ABCDEFGHIJKLMNOPQRSTUVWX", message
// "XAES-256-GCM".
func TestItOpensTheVectorOfTheSpecification(t *testing.T) {
	key := sealed.NewKey(bytes.Repeat([]byte{1}, 32))
	box, _ := hex.DecodeString("ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271")
	got, err := key.Open(nil, append([]byte("ABCDEFGHIJKLMNOPQRSTUVWX"), box...), nil)
	if err != nil || string(got) != "XAES-256-GCM" {
		t.Fatalf("Open of the published vector = %q, %v", got, err)
	}
}

// Every change of one bit and every other length fails, in the nonce, the message, the tag and the associated data.
func TestEveryFlippedBitAndEveryTruncationFails(t *testing.T) {
	key := sealed.NewKey(bytes.Repeat([]byte{7}, 32))
	aad := []byte("purpose and id")
	box := key.Seal(nil, []byte("the coat"), aad)
	for i := range len(box) * 8 {
		bad := bytes.Clone(box)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := key.Open(nil, bad, aad); !errors.Is(err, sealed.ErrOpen) {
			t.Fatalf("bit %d flipped: %v, want ErrOpen", i, err)
		}
	}
	for n := range box {
		if _, err := key.Open(nil, box[:n], aad); !errors.Is(err, sealed.ErrOpen) {
			t.Fatalf("truncated to %d: %v, want ErrOpen", n, err)
		}
	}
	for i := range len(aad) * 8 {
		bad := bytes.Clone(aad)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := key.Open(nil, box, bad); !errors.Is(err, sealed.ErrOpen) {
			t.Fatalf("bit %d of the associated data flipped: %v, want ErrOpen", i, err)
		}
	}
	if _, err := key.Open(nil, append(bytes.Clone(box), 0), aad); !errors.Is(err, sealed.ErrOpen) {
		t.Fatalf("a byte appended: %v, want ErrOpen", err)
	}
}

func TestAnotherKeyDoesNotOpen(t *testing.T) {
	box := sealed.NewKey(bytes.Repeat([]byte{1}, 32)).Seal(nil, []byte("x"), nil)
	if _, err := sealed.NewKey(bytes.Repeat([]byte{2}, 32)).Open(nil, box, nil); !errors.Is(err, sealed.ErrOpen) {
		t.Fatalf("Open with another key = %v, want ErrOpen", err)
	}
}

func TestTwoSealsOfOneMessageDiffer(t *testing.T) {
	key := sealed.NewKey(make([]byte, 32))
	if bytes.Equal(key.Seal(nil, []byte("m"), nil), key.Seal(nil, []byte("m"), nil)) {
		t.Fatal("two boxes of one message are equal")
	}
}

// One key for each message would cost more than the sealing; one for all of them would run into the bound of GCM.
func TestARunOfMessagesSharesADerivedKeyAndEndsFarBelowTheBound(t *testing.T) {
	key := sealed.NewKey(make([]byte, 32))
	runs := map[string]int{}
	var box []byte
	for range 1<<20 + 1 {
		box = key.Seal(box[:0], nil, nil)
		runs[string(box[:12])]++
	}
	if len(runs) != 2 || runs[string(box[:12])] != 1 {
		t.Fatalf("2^20 + 1 messages make %d runs, the last of %d, want 2 and 1", len(runs), runs[string(box[:12])])
	}
}

// A site has more processes and restarts than there is room for derived keys.
func TestMessagesOfManyRunsOpenInAnyOrder(t *testing.T) {
	reader := sealed.NewKey(make([]byte, 32))
	var boxes [][]byte
	for range 300 {
		boxes = append(boxes, sealed.NewKey(make([]byte, 32)).Seal(nil, []byte("coat"), nil))
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, i := range rand.Perm(2 * len(boxes)) {
				if got, err := reader.Open(nil, boxes[i/2], nil); err != nil || string(got) != "coat" {
					t.Errorf("the box of process %d: %q, %v", i/2, got, err)
				}
				own := reader.Seal(nil, []byte("own"), nil)
				if got, err := reader.Open(nil, own, nil); err != nil || string(got) != "own" {
					t.Errorf("a box of its own: %q, %v", got, err)
				}
			}
		})
	}
	all.Wait()
}

// fixedBox is "message" under a key of zeros and the associated data "aad".
const fixedBox = "ebd2b4ce592d7db21e407acd0d4625d21d9eee292a2026099e9101e34f1ac68d2307df732c22571efdac4cc2852765"

func FuzzOpen(f *testing.F) {
	key := sealed.NewKey(make([]byte, 32))
	good, _ := hex.DecodeString(fixedBox) // the same in every process of the fuzzer
	f.Add(good)
	f.Add([]byte{})
	if _, err := key.Open(nil, good, []byte("aad")); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, box []byte) {
		message, err := key.Open(nil, box, []byte("aad"))
		if err == nil && !bytes.Equal(box, good) {
			t.Fatal("a changed box opened")
		}
		again, errIn := key.OpenIn(bytes.Clone(box), []byte("aad"))
		if !bytes.Equal(message, again) || (err == nil) != (errIn == nil) {
			t.Fatalf("in its own memory it opens as %q, %v; else as %q, %v", again, errIn, message, err)
		}
	})
}

// A key that is derived has a price; this is it, beside GCM with one key.
func BenchmarkOpen(b *testing.B) {
	message := make([]byte, 200)
	material := make([]byte, 32)
	b.Run("derived", func(b *testing.B) {
		key := sealed.NewKey(material)
		box := key.Seal(nil, message, nil)
		dst := make([]byte, 0, 256)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := key.Open(dst, box, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("shared", func(b *testing.B) {
		block, _ := aes.NewCipher(material)
		gcm, _ := cipher.NewGCM(block)
		nonce := make([]byte, gcm.NonceSize())
		box := gcm.Seal(nil, nonce, message, nil)
		dst := make([]byte, 0, 256)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := gcm.Open(dst, nonce, box, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
