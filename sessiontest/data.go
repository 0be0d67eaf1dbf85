package sessiontest

import (
	"bytes"
	"context"
	"fmt"

	"github.com/coatcheck/session"
)

var dataRules = []rule{
	{name: "data of any bytes and length comes back", clause: "Store 6", check: anyData},
	{name: "a save leaves the record that it was given alone", clause: "Store 6", bare: true,
		check: saveLeavesItsRecord},
	{name: "a save keeps nothing that its caller can still change", clause: "Store 6", check: saveKeepsACopy},
	{name: "a load gives a record that its caller may change", clause: "Store 6", check: loadGivesACopy},
	{name: "data that was loaded may be appended to", clause: "Store 6", check: loadedDataGrows},
	{name: "the newest record in a conflict is its caller's own", clause: "Store 6", check: conflictGivesACopy},
	{name: "lists give records that their caller may change", clause: "Store 6", needs: []need{lister},
		check: listsGiveCopies},
}

func anyData(ctx context.Context, e *env) error {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for i, data := range [][]byte{
		nil, {}, {0}, {0, 0, 0}, []byte("0"), []byte("null"), []byte("\r\n"), []byte(" x "), []byte("x\x00"),
		{0xff, 0xfe}, {0xc3, 0x28},
		every, bytes.Repeat([]byte{0xff}, 70_000), bytes.Repeat(every, 4096),
	} {
		id := handle(i)
		created, replaced := sample(id), next(id, 1)
		created.Data, replaced.Data = data, data
		err := first(e.create(ctx, created), e.wantStored(ctx, created), e.replace(ctx, replaced),
			e.wantStored(ctx, replaced))
		if err != nil {
			return fmt.Errorf("%d bytes of data: %w", len(data), err)
		}
	}
	return nil
}

func saveLeavesItsRecord(ctx context.Context, e *env) error {
	// The last two are refused by a store that keeps what it gets, and the last one by any other.
	for _, rec := range []*session.Record{sample(idA), next(idA, 1), next(idA, 0), next(idA, 7)} {
		before := rec.Clone()
		err := e.Save(ctx, rec)
		if d := differences(rec, before); d != "" {
			return fmt.Errorf("the record given to a save of version %d, which returned %v, was changed: %s",
				before.Version, err, d)
		}
	}
	return nil
}

// spoil changes whatever can be changed of a record.
func spoil(rec *session.Record) {
	clear(rec.Data)
	rec.Data = append(rec.Data, "spoilt"...)
	*rec = session.Record{ID: rec.ID, User: "spoilt", Version: 99, Successor: "spoilt", Data: rec.Data}
}

func saveKeepsACopy(ctx context.Context, e *env) error {
	one, two := sample(idA), next(idA, 1)
	oneCopy, twoCopy := one.Clone(), two.Clone()
	if err := e.create(ctx, one); err != nil {
		return err
	}
	spoil(one)
	if err := first(e.wantStored(ctx, oneCopy), e.replace(ctx, two)); err != nil {
		return err
	}
	spoil(two)
	return e.wantStored(ctx, twoCopy)
}

func loadGivesACopy(ctx context.Context, e *env) error {
	saved := sample(idA)
	if err := e.create(ctx, saved); err != nil {
		return err
	}
	mine, err := e.load(ctx, idA)
	if err != nil {
		return err
	}
	other, err := e.load(ctx, idA)
	if err != nil {
		return err
	}
	spoil(mine)
	if !bytes.Equal(other.Data, saved.Data) {
		return fmt.Errorf("two loads share their data")
	}
	return e.wantStored(ctx, saved)
}

// loadedDataGrows appends to what was loaded: the capacity must not reach into memory that is in use.
func loadedDataGrows(ctx context.Context, e *env) error {
	ids := handles(20)
	for _, id := range ids {
		if err := e.create(ctx, sample(id)); err != nil {
			return err
		}
	}
	loads := make([]*session.Record, 0, 2*len(ids))
	for _, id := range append(ids, ids...) {
		rec, err := e.load(ctx, id)
		if err != nil {
			return err
		}
		loads = append(loads, rec)
	}
	for i, rec := range loads {
		rec.Data = append(rec.Data, bytes.Repeat([]byte{byte(i)}, 500)...)
	}
	return first(intact(loads), e.wantAllStored(ctx, ids))
}

// intact wants that none of the appends wrote into the data of another record.
func intact(loads []*session.Record) error {
	for i, rec := range loads {
		want := append(sample(rec.ID).Data, bytes.Repeat([]byte{byte(i)}, 500)...)
		if !bytes.Equal(rec.Data, want) {
			return fmt.Errorf("appending to the data of a loaded record changed that of another one")
		}
	}
	return nil
}

func (e *env) wantAllStored(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if err := e.wantStored(ctx, sample(id)); err != nil {
			return err
		}
	}
	return nil
}

func conflictGivesACopy(ctx context.Context, e *env) error {
	saved := sample(idA)
	if err := e.create(ctx, saved); err != nil {
		return err
	}
	for _, version := range []uint64{0, 7} {
		if newest := newestOf(e.Save(ctx, next(idA, version))); newest != nil {
			spoil(newest)
		}
	}
	return e.wantStored(ctx, saved)
}

func listsGiveCopies(ctx context.Context, e *env) error {
	saved := sample(idA)
	if err := e.create(ctx, saved); err != nil {
		return err
	}
	byUser, err := e.lister().ByUser(ctx, saved.User)
	if err != nil {
		return err
	}
	page, err := e.lister().Page(ctx, "", 10)
	for _, rec := range append(byUser, page...) {
		spoil(rec)
	}
	return first(err, e.wantStored(ctx, saved), e.wantListed(ctx, stored(saved)))
}
