package nullstore_test

import (
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/nullstore"
	"github.com/coatcheck/session/sessiontest"
)

func TestContract(t *testing.T) {
	sessiontest.Run(t, func(*testing.T) session.Store { return nullstore.New() }, sessiontest.Options{})
}
