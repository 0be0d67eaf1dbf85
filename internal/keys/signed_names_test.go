package keys_test

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// A pseudonym that changes without a change of secrets would forget what is kept under it.
func TestThePseudonymOfYesterdayIsThatOfToday(t *testing.T) {
	const want = "19ee85aaf19cc394a95747b212e9d50e8f939fa962409a95dbf3f23ee72dc707"
	if got := hex.EncodeToString(known.Pseudonyms("account", "ada")[0]); got != want {
		t.Errorf("the pseudonym is %s, want %s", got, want)
	}
}

func TestANameHasAnotherPseudonymForEachPurposeAndSecret(t *testing.T) {
	both := ringOf(freshSecret, oldSecret)
	mine := both.Pseudonyms("account", "ada")
	if len(mine) != 2 || !bytes.Equal(mine[1], ringOf(oldSecret).Pseudonyms("account", "ada")[0]) {
		t.Errorf("%d pseudonyms, want that of each secret, of the newest one first", len(mine))
	}
	for _, other := range [][]byte{
		mine[1], both.Pseudonyms("accoun", "tada")[0], both.Pseudonyms("device", "ada")[0],
		both.Pseudonyms("account", "ada\x00")[0], both.Pseudonyms("account", "")[0],
	} {
		if bytes.Equal(mine[0], other) {
			t.Errorf("two names or purposes share the pseudonym %x", other)
		}
	}
}
