package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/guard"
)

func newList() *cobra.Command {
	var user string
	var active time.Duration
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List live sessions",
		Long: `List the live sessions, or those of one user, with their ids. An id names a session for the other
commands; it is not a ticket, and of no use to a thief. Without --user the sessions come one by
one, in no particular order, however many there are.

On a terminal it shows the beginning of each id, which the other commands accept, the device and
how long ago it was seen. With --wide, in a file and in a pipe, each row is shown in full.`,
		Example: `  coatcheck session list
  coatcheck session list --user ada --json
  coatcheck session list --active 1h`,
		Args: noArguments,
	}
	cmd.Flags().StringVar(&user, "user", "", "only the sessions of this user")
	cmd.Flags().DurationVar(&active, "active", 0, "only those seen within this time, such as 1h")
	return table(completeUsers(cmd), func(ctx context.Context, t *tool, _ []string) error {
		var wrong mistakes
		if cmd.Flags().Changed("active") && active <= 0 { // 0 would list everybody
			wrong.add("active", active, "is too short; use 1s or more, such as 1h")
		}
		wrong.user(cmd, user)
		if err := wrong.err(); err != nil {
			return err
		}
		s, err := t.open(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		return writeList(t, s.seenWithin(s.sessions(ctx, user), active), s.Now())
	})
}

// sessions are those of a user, or all.
func (s *site) sessions(ctx context.Context, user string) iter.Seq2[session.Info, error] {
	if user == "" {
		return s.All(ctx)
	}
	return func(yield func(session.Info, error) bool) {
		list, err := s.Sessions(ctx, user)
		if err != nil {
			yield(session.Info{}, err)
			return
		}
		for _, info := range list {
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *site) seenWithin(all iter.Seq2[session.Info, error], d time.Duration) iter.Seq2[session.Info, error] {
	if d == 0 {
		return all
	}
	return func(yield func(session.Info, error) bool) {
		since := s.Now().Add(-d)
		for info, err := range all {
			if (err != nil || !info.SeenAt.Before(since)) && !yield(info, err) {
				return
			}
		}
	}
}

// view is a session as --json shows it.
type view struct {
	ID         string     `json:"id"`
	User       string     `json:"user"`
	CreatedAt  time.Time  `json:"created_at"`
	SeenAt     time.Time  `json:"seen_at"`
	LoginAt    time.Time  `json:"login_at,omitzero"`
	ExpiresAt  time.Time  `json:"expires_at,omitzero"`
	RemoteIP   netip.Addr `json:"remote_ip,omitzero"`
	UserAgent  string     `json:"user_agent,omitempty"`
	Persistent bool       `json:"persistent"`
}

func viewOf(i session.Info) view {
	return view{i.ID, i.User, i.CreatedAt.UTC(), i.SeenAt.UTC(), utc(i.LoginAt), utc(i.ExpiresAt), i.RemoteIP,
		i.UserAgent, i.Persistent}
}

// utc leaves the zero time as it is.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// heads are those of a list for people, and of one with everything.
var (
	heads = []output.Head{{Name: "ID"}, {Name: "USER", Least: 8}, {Name: "DEVICE", Least: 8}, {Name: "SEEN"},
		{Name: "EXPIRES"}, {Name: "ADDRESS", Least: 9}}
	allHeads = output.Heads("ID", "USER", "SEEN", "EXPIRES", "ADDRESS", "CREATED", "LOGIN", "PERSISTENT", "DEVICE",
		"BROWSER")
)

// cells are those of a session below [heads].
func (v view) cells(now time.Time) []string {
	return []string{output.ShortID(v.ID), orDash(v.User), guard.Device(v.UserAgent), output.Ago(v.SeenAt, now),
		expiresIn(v.ExpiresAt, now), addressOf(v.RemoteIP)}
}

// allCells are those below [allHeads].
func (v view) allCells() []string {
	return []string{v.ID, orDash(v.User), output.Time(v.SeenAt), expiry(v.ExpiresAt), addressOf(v.RemoteIP),
		output.Time(v.CreatedAt), output.Time(v.LoginAt), fmt.Sprint(v.Persistent), guard.Device(v.UserAgent),
		orDash(v.UserAgent)}
}

// writeList writes sessions as they come: there may be more than fit into memory.
func writeList(t *tool, all iter.Seq2[session.Info, error], now time.Time) error {
	list := output.NewList(&t.Printer, allHeads)
	if t.Short() {
		list = output.NewList(&t.Printer, heads)
	}
	for info, err := range all {
		if err != nil {
			return errors.Join(list.Flush(), err)
		}
		v := viewOf(info)
		cells := v.allCells()
		if t.Short() {
			cells = v.cells(now)
		}
		if err := list.Add(v, cells...); err != nil {
			return err
		}
	}
	return list.End(func(w io.Writer, n int) { fmt.Fprintln(w, output.Count(n, "session")) })
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func expiry(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return output.Time(t)
}

func expiresIn(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return output.Ago(t, now)
}

func addressOf(ip netip.Addr) string {
	if !ip.IsValid() {
		return "-"
	}
	return ip.String()
}
