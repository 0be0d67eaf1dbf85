package integration_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// call is what a client asks a store for.
type call struct {
	do      string // "load", "save", "delete"
	version uint64
	data    string
}

// answer is what it gets. Unknown is an outage: the call was done, or is done later, or never.
type answer struct {
	err     string // "", "not found", "conflict", "unknown"
	version uint64
	data    string
}

// row is the state of one record. Version 0 is none.
type row struct {
	version uint64
	data    string
}

// contract is the store contract as a state machine, for one record.
var contract = porcupine.NondeterministicModel{
	Init: func() []any { return []any{row{}} },
	Step: func(state, input, output any) []any {
		before, c, a := state.(row), input.(call), output.(answer)
		after, want := before.apply(c)
		switch {
		case a.err == "unknown":
			return []any{before, after}
		case a == want:
			return []any{after}
		}
		return nil
	},
	Equal: func(a, b any) bool { return a == b },
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%v → %v", input, output)
	},
}

func (r row) apply(c call) (row, answer) {
	switch {
	case c.do == "load" && r.version == 0:
		return r, answer{err: "not found"}
	case c.do == "load":
		return r, answer{version: r.version, data: r.data}
	case c.do == "delete":
		return row{}, answer{}
	case c.version == r.version:
		return row{r.version + 1, c.data}, answer{}
	case r.version == 0:
		return r, answer{err: "not found"}
	}
	return r, answer{err: "conflict"}
}

func (c call) ask(ctx context.Context, store session.Store, id string) answer {
	var rec *session.Record
	var err error
	switch c.do {
	case "load":
		rec, err = store.Load(ctx, id)
	case "delete":
		err = store.Delete(ctx, id)
	default:
		err = store.Save(ctx, &session.Record{ID: id, Version: c.version, User: "ada", Data: []byte(c.data)})
	}
	switch {
	case errors.Is(err, session.ErrNotFound):
		return answer{err: "not found"}
	case errors.Is(err, session.ErrConflict):
		return answer{err: "conflict"}
	case err != nil:
		return answer{err: "unknown"}
	case rec != nil:
		return answer{version: rec.Version, data: string(rec.Data)}
	}
	return answer{}
}

// checkLinearizable has clients do anything to a few records through several stores on one backend, while disturb runs,
// and wants an order in which the contract allows every answer.
func checkLinearizable(t *testing.T, stores []session.Store, disturb func()) {
	t.Helper()
	ids := []string{"linear-a", "linear-b", "linear-c"}
	histories := map[string]*history{}
	for _, id := range ids {
		histories[id] = &history{began: time.Now()}
	}
	const clients = 8
	stop := make(chan struct{})
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			versions := map[string]uint64{} // as this client saw them last
			for n := 0; n < 50 || running(stop); n++ {
				id := ids[rand.IntN(len(ids))]
				c := call{do: "save", version: versions[id], data: fmt.Sprint(i, n)}
				switch rand.IntN(8) {
				case 0:
					c = call{do: "delete"}
				case 1, 2, 3:
					c = call{do: "load"}
				case 4:
					c.version = 0
				}
				a := histories[id].record(i, c, func() answer { return c.ask(t.Context(), stores[i%len(stores)], id) })
				switch {
				case c.do == "load":
					versions[id] = a.version
				case c.do == "save" && a.err == "":
					versions[id] = c.version + 1
				}
				// Each unknown answer doubles the orders that there may be, so that a client asks for no more of them.
				for a.err == "unknown" && t.Context().Err() == nil {
					time.Sleep(20 * time.Millisecond)
					a = call{do: "load"}.ask(t.Context(), stores[i%len(stores)], id)
				}
			}
		})
	}
	if disturb != nil {
		disturb()
	}
	close(stop)
	all.Wait()
	for _, id := range ids {
		histories[id].check(t, id)
	}
}

func running(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return false
	default:
		return true
	}
}

// history is everything that was done to a record.
type history struct {
	mu    sync.Mutex
	began time.Time
	list  []porcupine.Operation
}

func (h *history) record(client int, c call, fn func() answer) answer {
	called := time.Since(h.began)
	a := fn()
	returned := time.Since(h.began)
	if a.err == "unknown" {
		returned = 1 << 62 // it may take effect at any time from now on
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.err == "unknown" && c.do == "load" {
		return a // which changes nothing, whenever it happens
	}
	h.list = append(h.list, porcupine.Operation{ClientId: client, Input: c, Output: a, Call: int64(called),
		Return: int64(returned)})
	return a
}

func (h *history) check(t *testing.T, id string) {
	t.Helper()
	for i := range h.list {
		h.list[i].ClientId = i // an unknown call overlaps with the client's next one
	}
	known := 0
	for _, op := range h.list {
		if op.Output.(answer).err == "" {
			known++
		}
	}
	if known == 0 {
		t.Errorf("%s: no call succeeded", id)
	}
	model := contract.ToModel()
	switch porcupine.CheckOperationsTimeout(model, h.list, patience) {
	case porcupine.Illegal:
		t.Errorf("%s: no order of its %d calls keeps the contract", id, len(h.list))
	case porcupine.Unknown:
		t.Errorf("%s: no order of its %d calls was found within %v", id, len(h.list), patience)
	}
}

func TestEveryStoreIsLinearizable(t *testing.T) {
	eachBackend(t, func(t *testing.T, stores [2]session.Store) { checkLinearizable(t, stores[:], nil) })
}

func TestServerIsLinearizableWhileItIsKilled(t *testing.T) {
	eachKilled(t, func(t *testing.T, s server, kill func()) {
		table := s.table()
		stores := []session.Store{s.store(t, s.open(t), table), s.store(t, s.open(t), table)}
		checkLinearizable(t, stores, kill)
	})
}

// A server that syncs before it answers loses nothing when it is killed.
func TestRedisIsLinearizableWhileItIsKilled(t *testing.T) {
	r := syncingRedis(t)
	var stores []session.Store
	for range 2 {
		client := redisClient(t, rueidis.ClientOption{InitAddress: []string{r.Addr}})
		stores = append(stores, redisStore(t, client, redisstore.Options{}))
	}
	checkLinearizable(t, stores, func() { restarted(t, r) })
}

// The model refuses what a store must not do: otherwise it would show nothing.
func TestTheModelOfTheContractRefusesWhatItForbids(t *testing.T) {
	for name, list := range map[string][]porcupine.Operation{
		"two saves at one version": {
			{Input: call{"save", 0, "a"}, Output: answer{}, Call: 0, Return: 1},
			{Input: call{"save", 1, "b"}, Output: answer{}, Call: 2, Return: 5},
			{Input: call{"save", 1, "c"}, Output: answer{}, Call: 3, Return: 4},
		},
		"a deleted record that comes back": {
			{Input: call{"save", 0, "a"}, Output: answer{}, Call: 0, Return: 1},
			{Input: call{do: "delete"}, Output: answer{}, Call: 2, Return: 3},
			{Input: call{"save", 1, "b"}, Output: answer{}, Call: 4, Return: 5},
		},
		"a load of what is no longer there": {
			{Input: call{"save", 0, "a"}, Output: answer{}, Call: 0, Return: 1},
			{Input: call{"save", 1, "b"}, Output: answer{}, Call: 2, Return: 3},
			{Input: call{do: "load"}, Output: answer{"", 1, "a"}, Call: 4, Return: 5},
		},
	} {
		if porcupine.CheckOperations(contract.ToModel(), list) {
			t.Errorf("the model allows %s", name)
		}
	}
}
