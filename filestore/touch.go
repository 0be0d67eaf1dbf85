package filestore

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/atomicfile"
)

// A touch writes 20 bytes into the file that is there, because it happens far more often than a save, and must not cost
// a new file and two syncs. A slot has the time seen, the time of expiry, and a sum. There are two, and a touch takes
// the one that does not hold the latest times: a write that is torn, by a crash or under the eyes of a reader, leaves
// the other one, so that it loses at most itself, never the record. It is not synced: a power failure may forget the
// touches of the last half minute or so, and with it the deadlines that they moved.
const (
	slotsAt  = len(magic)
	slotSize = 20
	slots    = 2
)

// times are what a touch moves, in microseconds.
type times struct{ seen, expires int64 }

var never = micros(time.Time{}) // an expiry that is later than all others

func (t times) merge(o times) times {
	m := times{max(t.seen, o.seen), max(t.expires, o.expires)}
	if t.expires == never || o.expires == never {
		m.expires = never
	}
	return m
}

func (t times) apply(rec *session.Record) {
	rec.SeenAt, rec.ExpiresAt = fromMicros(t.seen), fromMicros(t.expires)
}

// latest returns the times of the save and of all touches since then.
func latest(head []byte) times {
	le := binary.LittleEndian
	t := times{int64(le.Uint64(head[84:])), int64(le.Uint64(head[100:]))}
	for i := range slots {
		if touched, ok := readSlot(head, i); ok {
			t = t.merge(touched)
		}
	}
	return t
}

// readSlot returns false for a slot that was never written, or was torn.
func readSlot(head []byte, i int) (times, bool) {
	b := head[slotAt(i):][:slotSize]
	le := binary.LittleEndian
	return times{int64(le.Uint64(b)), int64(le.Uint64(b[8:]))}, le.Uint32(b[16:]) == slotSum(head, b[:16])
}

func encodeSlot(head []byte, t times) []byte {
	le := binary.LittleEndian
	b := le.AppendUint64(make([]byte, 0, slotSize), uint64(t.seen))
	b = le.AppendUint64(b, uint64(t.expires))
	return le.AppendUint32(b, slotSum(head, b))
}

// slotSum goes on from the sum of the header, so that the slot of another record is not taken for one of this.
func slotSum(head, slot []byte) uint32 {
	return crc32.Update(binary.LittleEndian.Uint32(head[sumAt:]), castagnoli, slot)
}

func slotAt(i int) int { return slotsAt + i*slotSize }

// Touch moves the times of a record without replacing it.
func (s *Store) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	key := keyOf(id)
	given := times{micros(seen), micros(expires)}
	err := s.locked(ctx, key, false, func(dir *atomicfile.Dir) error {
		return touch(dir, key, version, given)
	})
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("filestore: touch: %w", err)
	}
	return nil
}

func touch(dir *atomicfile.Dir, key key, version uint64, given times) error {
	err := dir.Update(key.String(), func(f *os.File, size int64) error {
		rec, head, err := readHeader(key, func(most int64) ([]byte, int64, error) {
			start := make([]byte, min(most, size))
			_, err := f.ReadAt(start, 0)
			return start, size, err
		})
		if err != nil || rec.Version != version {
			return err
		}
		return writeTouch(f, head, given)
	})
	return key.explain(err)
}

func writeTouch(f *os.File, head []byte, given times) error {
	now := latest(head)
	next := now.merge(given)
	if next == now {
		return nil
	}
	slot := 0
	if t, ok := readSlot(head, 0); ok && t == now {
		slot = 1
	}
	_, err := f.WriteAt(encodeSlot(head, next), int64(slotAt(slot)))
	return err
}
