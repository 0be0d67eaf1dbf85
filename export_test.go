package session

// ParseTicket parses and verifies a ticket as the manager does for a request, and does nothing else.
func ParseTicket(m *Manager, text string) error {
	_, _, err := parseTicket(text, m.ring(), m.transport.Name())
	return err
}
