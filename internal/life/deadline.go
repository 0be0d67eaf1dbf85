package life

import (
	"time"

	"github.com/coatcheck/session/internal/envelope"
)

// deadlines are the two times at which the session ends, in microseconds since 1970; 0 for one that is not set.
func (d *Draft) deadlines(seen int64) (idle, absolute int64) {
	if timeout := d.idleTimeout(); timeout > 0 {
		idle = seen + timeout.Microseconds()
	}
	if at := d.Doc.State.Deadline(); at != 0 {
		return idle, at
	}
	if lifetime := override(d.Doc.State.Lifetime(), d.k.Lifetime); lifetime > 0 {
		anchor := max(d.Doc.State.Created, d.Doc.State.Login, d.Doc.State.Proven())
		if anchor == 0 {
			anchor = seen
		}
		absolute = anchor + lifetime.Microseconds()
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

// endsAt is the earlier of the two deadlines, 0 when there is none.
func (d *Draft) endsAt(seen time.Time) int64 { return earlier(d.deadlines(seen.UnixMicro())) }

// earlier is the earlier of two times, of which 0 is none.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// expiresAt is endsAt as records have it.
func (d *Draft) expiresAt(seen time.Time) time.Time { return envelope.Time(d.endsAt(seen)) }

func (d *Draft) persistent() bool {
	if d.Doc.State.Persistent == 0 {
		return d.k.Persistent
	}
	return d.Doc.State.Persistent == 1
}

// expired reports whether the stored session has ended by time. A token ends when it was sealed to, whatever the clocks
// say by now.
func (d *Draft) expired(now time.Time) bool {
	end := d.endsAt(d.at.Rec.SeenAt)
	if d.at.Sealed() != "" {
		end = earlier(end, envelope.Micro(d.at.Rec.ExpiresAt))
	}
	return end != 0 && now.UnixMicro() >= end
}
