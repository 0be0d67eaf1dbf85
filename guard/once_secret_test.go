package guard_test

import (
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// The second click of two is told that it was done, and a page that asks stays good, whatever happens to the secrets
// meanwhile.
func TestAnOperationStaysTheSameWhenTheSecretIsReplaced(t *testing.T) {
	first := session.NewSecret()
	r := newRig(t, guard.Options{}, func(o *session.Options) { o.Secrets = []session.Secret{first} })
	b, v := newBank(r), r.signIn("ada")
	waiting := operation(t, v.post(b, "/transfer", to("ann"), asJSON))
	done := operation(t, v.post(b, "/transfer", to("bob"), asJSON))
	if err := v.confirm(done.ID); err != nil {
		t.Fatal(err)
	}
	v.post(b, "/transfer", to("bob"))
	b.want(t, 1)
	setSecrets(t, r.m, session.NewSecret(), first)
	if again := operation(t, v.post(b, "/transfer", to("bob"), asJSON)); !again.DoneAt.Equal(r.clock.now()) {
		t.Errorf("the second click is asked about %+v, want to be told that it was done", again)
	}
	if again := operation(t, v.post(b, "/transfer", to("ann"), asJSON)); again.ID != waiting.ID ||
		len(v.asked()) != 2 {
		t.Errorf("what waits is asked about as another: %+v", v.asked())
	}
	if err := v.confirm(waiting.ID); err != nil {
		t.Errorf("the page that was shown before: %v", err)
	}
	v.post(b, "/transfer", to("ann"))
	b.want(t, 2)
}
