package session

import (
	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// ParseCarried parses what was sealed in a token, and encodes it again.
func ParseCarried(plain []byte) (again []byte, rec *Record, err error) {
	at, err := parseCarried(plain)
	if err != nil {
		return nil, nil, err
	}
	h, entries, err := envelope.Parse(at.rec.Data)
	if err != nil {
		return nil, nil, err
	}
	st := data.NewState(h, entries, 0)
	return appendCarried(nil, at, &st), at.rec, nil
}
