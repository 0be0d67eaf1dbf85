package keys_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/keys"
)

func list(secrets ...string) (out [][]byte) {
	for _, s := range secrets {
		out = append(out, []byte(s))
	}
	return out
}

// signs reports whether it is this secret with which a ring signs.
func signs(ring keys.Ring, secret string) bool {
	_, _, err := keys.ParseTicket(counted(1).Text(ring, cookie), ringOf(secret), cookie)
	return err == nil
}

// A node that has run for long learns of a new secret. It verifies with it at once, and signs with it when the other
// nodes, each of which asks once a minute, must have heard of it too.
func ExampleRotation() {
	var r keys.Rotation
	r.Ring(list(oldSecret), noon)
	for _, after := range []time.Duration{time.Hour, time.Hour + 3*time.Minute, time.Hour + 4*time.Minute} {
		ring := r.Ring(list(freshSecret, oldSecret), noon.Add(after))
		_, _, err := keys.ParseTicket(counted(1).Text(ringOf(freshSecret), cookie), ring, cookie)
		fmt.Println(after, "verifies with the new one:", err == nil, "signs with it:", signs(ring, freshSecret))
	}
	// Output:
	// 1h0m0s verifies with the new one: true signs with it: false
	// 1h3m0s verifies with the new one: true signs with it: false
	// 1h4m0s verifies with the new one: true signs with it: true
}

func TestTheOnlySecretSignsAtOnce(t *testing.T) {
	var r keys.Rotation
	if !signs(r.Ring(list(oldSecret), noon), oldSecret) {
		t.Error("the first secret of all does not sign")
	}
	ring := r.Ring(list(freshSecret), noon.Add(time.Minute)) // an emergency: the other one was stolen
	if !signs(ring, freshSecret) || len(ring) != 1 {
		t.Errorf("%d secrets are in use, and the only one signs: %v", len(ring), signs(ring, freshSecret))
	}
}

// Two nodes have just started, and one of them learns of a secret that is to be accepted besides.
func TestOfSecretsThatAreNewTheOneThatIsKnownForLongerSigns(t *testing.T) {
	for _, secrets := range [][][]byte{list(oldSecret, freshSecret), list(freshSecret, oldSecret)} {
		var r keys.Rotation
		r.Ring(list(oldSecret), noon)
		if !signs(r.Ring(secrets, noon.Add(time.Second)), oldSecret) {
			t.Errorf("of %q it signs with the one that others may not know", secrets)
		}
	}
}

func TestASecretThatComesBackIsNewAgain(t *testing.T) {
	var r keys.Rotation
	r.Ring(list(freshSecret, oldSecret), noon)
	r.Ring(list(oldSecret), noon.Add(time.Hour))
	if !signs(r.Ring(list(freshSecret, oldSecret), noon.Add(2*time.Hour)), oldSecret) {
		t.Error("it signs with a secret that others may have forgotten")
	}
}

func TestTheSameSecretsGiveTheSameRing(t *testing.T) {
	var r keys.Rotation
	first := r.Ring(list(freshSecret, oldSecret), noon)
	if again := r.Ring(list(freshSecret, oldSecret), noon.Add(time.Minute)); !slices.Equal(first, again) {
		t.Error("asked again, the ring is another")
	}
	if settled := r.Ring(list(freshSecret, oldSecret), noon.Add(time.Hour)); slices.Equal(first, settled) {
		t.Error("the ring is the same although another secret signs")
	}
}

// What a secret has signed that is to sign next needs no other signature, and what an older one has signed does.
func TestWhatTheNextSecretSignedIsNotOld(t *testing.T) {
	row, sealedFor := keys.Row{ID: "ab", Version: 1}, [][]byte{keys.BindToken(cookie)}
	signers := func(ring keys.Ring, secret string) (all [3]int, err error) {
		by := ringOf(secret)
		var errs [3]error
		_, all[0], errs[0] = keys.ParseTicket(counted(1).Text(by, cookie), ring, cookie)
		_, all[1], errs[1] = ring.Open(by.Seal(row, 0, appending("x"), false), row)
		_, all[2], errs[2] = ring.OpenToken(by.SealToken([]byte("x"), sealedFor[0]), sealedFor)
		return all, errors.Join(errs[:]...)
	}
	var r keys.Rotation
	r.Ring(list(oldSecret), noon)
	for _, row := range []struct {
		after time.Duration
		want  map[string]int
	}{
		{time.Hour, map[string]int{freshSecret: 0, oldSecret: 0, oldestSecret: 2}},
		{time.Hour + 4*time.Minute, map[string]int{freshSecret: 0, oldSecret: 1, oldestSecret: 2}},
	} {
		ring := r.Ring(list(freshSecret, oldSecret, oldestSecret), noon.Add(row.after))
		for secret, want := range row.want {
			if got, err := signers(ring, secret); got != [3]int{want, want, want} || err != nil {
				t.Errorf("after %v, by %q: signed by %v, %v, want %d", row.after, secret, got, err, want)
			}
		}
	}
}

// node is one of many that ask once a minute, each at its own second of it, from its start on. Its source is behind by
// up to two minutes, and takes up to thirty seconds each time.
type node struct {
	rotation        keys.Rotation
	ring            keys.Ring
	start, behind   int
	asked, answered int
}

// runs has the node ask when it is time and use the answer when it comes, and reports whether it has had one.
func (n *node) runs(second int, said func(second int) [][]byte, random *rand.Rand) bool {
	if second < n.start {
		return false
	}
	if (second-n.start)%int(keys.ReadEvery/time.Second) == 0 {
		n.asked, n.answered = second, second+random.IntN(int(keys.ReadWithin/time.Second)+1)
	}
	if second == n.answered {
		n.ring = n.rotation.Ring(said(n.asked-n.behind), noon.Add(time.Duration(second)*time.Second))
	}
	return n.ring != nil
}

// Whenever the nodes have started and whenever each of them asks, none ever signs what another that runs refuses: not
// while a secret is put before the one in use, and not when that one is removed a quarter of an hour later.
func TestNoNodeSignsWhatAnotherRefuses(t *testing.T) {
	const changed, removed, end = 10 * 60, 25 * 60, 35 * 60
	said := func(second int) [][]byte {
		switch {
		case second >= removed:
			return list(freshSecret)
		case second >= changed:
			return list(freshSecret, oldSecret)
		}
		return list(oldSecret)
	}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		nodes := make([]node, 5)
		for i := range nodes {
			nodes[i].start, nodes[i].behind = random.IntN(removed-10*60), random.IntN(2*60+1)
		}
		nodes[0] = node{}
		for second := range end {
			var running []*node
			for i := range nodes {
				if nodes[i].runs(second, said, random) {
					running = append(running, &nodes[i])
				}
			}
			understand(t, running, seed, second)
		}
		if !signs(nodes[0].ring, freshSecret) {
			t.Errorf("seed %d: the new secret never signs", seed)
		}
	}
}

// understand checks that each of the nodes takes what each of them signs.
func understand(t *testing.T, nodes []*node, seed uint64, second int) {
	t.Helper()
	for _, a := range nodes {
		text := counted(1).Text(a.ring, cookie)
		for _, b := range nodes {
			if _, _, err := keys.ParseTicket(text, b.ring, cookie); err != nil {
				t.Fatalf("seed %d, second %d: a node that started at %d refuses what one that started at %d signed: %v",
					seed, second, b.start, a.start, err)
			}
		}
	}
}
