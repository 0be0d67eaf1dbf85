package life

import (
	"time"

	"github.com/coatcheck/session/internal/envelope"
)

// deadlines are the two times at which the session ends; zero for one that is not set.
func (d *Draft) deadlines(seen time.Time) (idle, absolute time.Time) {
	if timeout := d.idleTimeout(); timeout > 0 {
		idle = seen.Add(timeout)
	}
	if at := d.Doc.State.Deadline(); at != 0 {
		return idle, envelope.Time(at)
	}
	if lifetime := override(d.Doc.State.Lifetime(), d.k.Lifetime); lifetime > 0 {
		anchor := max(d.Doc.State.Created, d.Doc.State.Login, d.Doc.State.Proven())
		if anchor == 0 {
			anchor = seen.UnixMicro()
		}
		absolute = time.UnixMicro(anchor).UTC().Add(lifetime)
	}
	return idle, absolute
}

func (d *Draft) idleTimeout() time.Duration { return override(d.Doc.State.Idle(), d.k.Idle) }

// override is a session's own duration in microseconds, or the manager's.
func override(own int64, managers time.Duration) time.Duration {
	if own != 0 {
		return time.Duration(own) * time.Microsecond
	}
	return managers
}

// expiresAt is the earlier of the two deadlines, zero when there is none.
func (d *Draft) expiresAt(seen time.Time) time.Time {
	idle, absolute := d.deadlines(seen)
	if idle.IsZero() || !absolute.IsZero() && absolute.Before(idle) {
		return absolute
	}
	return idle
}

func (d *Draft) persistent() bool {
	if d.Doc.State.Persistent == 0 {
		return d.k.Persistent
	}
	return d.Doc.State.Persistent == 1
}

// expired reports whether the stored session has ended by time. A token ends when it was sealed to, whatever the clocks
// say by now.
func (d *Draft) expired(now time.Time) bool {
	end := d.expiresAt(d.at.Rec.SeenAt)
	if sealed := d.at.Rec.ExpiresAt; d.at.Sealed() != "" && !sealed.IsZero() && (end.IsZero() || sealed.Before(end)) {
		end = sealed
	}
	return !end.IsZero() && !now.Before(end)
}
