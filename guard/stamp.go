package guard

import (
	"fmt"
	"time"
)

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

// Human is for people.
func (s stamp) Human() string { return s.UTC().Format("2 January 2006, 15:04 UTC") }

// ago says how long ago a time was, roughly, as people do. A page does not know the time zone of who reads it.
func ago(s stamp, now time.Time) string {
	switch d := now.Sub(s.Time); {
	case d < 2*time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}
