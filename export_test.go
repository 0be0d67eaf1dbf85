package session

import "github.com/coatcheck/session/internal/envelope"

// ParseTicket parses and verifies a ticket as the manager does for a request, and does nothing else.
func ParseTicket(m *Manager, text string) error {
	_, _, err := m.parseTicket(text)
	return err
}

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
	st := newState(h, entries, 0)
	return appendCarried(nil, c.rec, c.ticket, &st, c.admitted), c.rec, nil
}
