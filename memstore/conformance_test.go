package memstore_test

import (
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessiontest"
)

// The rules of Evicter are among them: a bound, and strangers go before users.
func TestContract(t *testing.T) {
	sessiontest.Run(t, func(*testing.T) session.Store { return memstore.New(memstore.Options{}) }, sessiontest.Options{
		Bounded: func(_ *testing.T, max int) session.Store { return memstore.New(memstore.Options{MaxSessions: max}) },
	})
}

func TestContractWithABound(t *testing.T) {
	sessiontest.Run(t, func(*testing.T) session.Store { return memstore.New(memstore.Options{MaxSessions: 100_000}) },
		sessiontest.Options{})
}
