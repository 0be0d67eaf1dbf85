package mapstore_test

import (
	"testing"

	"github.com/coatcheck/session"
	mapstore "github.com/coatcheck/session/docs/writing-a-store"
	"github.com/coatcheck/session/sessiontest"
)

func TestStore(t *testing.T) {
	sessiontest.Run(t, func(*testing.T) session.Store { return mapstore.New() }, sessiontest.Options{})
}
