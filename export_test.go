package session

import (
	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// ParseCarried parses what was sealed in a token, and encodes it again.
func ParseCarried(plain []byte) (again []byte, rec *Record, err error) {
	var c carried
	if err := c.parse(plain); err != nil {
		return nil, nil, err
	}
	h, entries, err := envelope.Parse(c.rec.Data)
	if err != nil {
		return nil, nil, err
	}
	st := data.NewState(h, entries, 0)
	return appendCarried(nil, c.rec, c.ticket, &st, c.admitted), c.rec, nil
}
