package guard

import "time"

// stamp is a time for pages and JSON: in UTC, to the second, null for none.
type stamp struct{ time.Time }

func (s stamp) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + s.Machine() + `"`), nil
}

// Machine is for machines, such as the attribute of a time element.
func (s stamp) Machine() string { return s.UTC().Format(time.RFC3339) }
