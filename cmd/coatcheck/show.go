package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/guard"
)

func newShow() *cobra.Command {
	var values bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one session: whose it is, its times, its keys",
		Long: `Show a session: whose it is, its times, and the names and sizes of its keys. What visitors stored
is shown only with --values: it may be private, and terminals and logs keep what they show. A
retired id is shown with the id of the session that took over.

The beginning of an id is enough, 4 digits or more, if no other id begins with it.`,
		Example: `  coatcheck session show 5f2c08
  coatcheck session show 5f2c08 --values --json`,
		Args: exactly(1, "name one session by its id; coatcheck session list shows them"),
	}
	cmd.Flags().BoolVar(&values, "values", false, "show the values, too")
	return command(completeIDs(cmd, 1), opened(func(ctx context.Context, t *tool, s *site, args []string) error {
		ids, err := s.ids(ctx, args)
		if err != nil {
			return err
		}
		shown, err := s.show(ctx, ids[0], values)
		if err != nil {
			return err
		}
		return t.Value(shown, func(w io.Writer) { shown.text(w, when(t, s.Now())) })
	}))
}

// shown is a session in full.
type shown struct {
	view
	State     string  `json:"state"` // live, expired, alias or tombstone
	Successor string  `json:"successor,omitempty"`
	Version   uint64  `json:"version"`
	Bytes     int     `json:"bytes"`
	Stale     bool    `json:"older_secret"`
	Keys      []field `json:"keys"`
}

// field is a key of a session.
type field struct {
	Key   string `json:"key"`
	Bytes int    `json:"bytes"`
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

func (s *site) show(ctx context.Context, id string, values bool) (*shown, error) {
	rec, err := s.store.Load(ctx, id)
	switch {
	case errors.Is(err, session.ErrNotFound):
		return nil, fmt.Errorf("there is no session with this id; coatcheck session list shows the ids")
	case errors.Is(err, session.ErrCorrupt):
		return nil, fmt.Errorf("the record is damaged: %w; coatcheck session revoke removes it", err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", session.ErrUnavailable, err)
	}
	v := view{rec.ID, rec.User, rec.CreatedAt.UTC(), rec.SeenAt.UTC(), utc(rec.LoginAt), utc(rec.ExpiresAt),
		rec.RemoteIP, output.Clean(rec.UserAgent), rec.Persistent}
	out := &shown{view: v, State: rec.Kind.String(), Successor: rec.Successor, Version: rec.Version,
		Bytes: len(rec.Data), Keys: []field{}}
	if rec.Kind != session.KindLive {
		return out, nil
	}
	if !rec.ExpiresAt.IsZero() && !s.Now().Before(rec.ExpiresAt) {
		out.State = "expired"
	}
	contents, stale, err := s.Contents(rec)
	if err != nil {
		return nil, fmt.Errorf("the record does not open with the secrets of this configuration: %w", err)
	}
	out.Stale = stale
	for _, c := range contents {
		out.Keys = append(out.Keys, fieldOf(c, values))
	}
	return out, nil
}

func fieldOf(c session.Content, values bool) field {
	f := field{Key: c.Key, Bytes: c.Size}
	if c.Err != nil {
		f.Error = "does not decode"
	} else if values {
		f.Value = c.Value
	}
	return f
}

// when writes times: in full, and on a terminal how long ago as well.
func when(t *tool, now time.Time) func(time.Time) string {
	return func(at time.Time) string {
		if !t.Short() || at.IsZero() {
			return output.Time(at)
		}
		return fmt.Sprintf("%s (%s)", output.Time(at), output.Ago(at, now))
	}
}

func (s *shown) text(w io.Writer, when func(time.Time) string) {
	expires := "never"
	if !s.ExpiresAt.IsZero() {
		expires = when(s.ExpiresAt)
	}
	rows := [][]string{
		{"id", s.ID}, {"state", s.State}, {"user", orDash(s.User)}, {"created", when(s.CreatedAt)},
		{"seen", when(s.SeenAt)}, {"login", when(s.LoginAt)}, {"expires", expires}, {"address", addressOf(s.RemoteIP)},
		{"device", guard.Device(s.UserAgent)}, {"browser", orDash(s.UserAgent)},
		{"persistent", fmt.Sprint(s.Persistent)}, {"version", fmt.Sprint(s.Version)}, {"size", output.Bytes(s.Bytes)},
	}
	if s.Successor != "" {
		rows = append(rows, []string{"successor", s.Successor})
	}
	if s.Stale {
		rows = append(rows, []string{"secret", "the record was made with an older one; the next request renews it"})
	}
	_ = output.Columns(w, rows) // the screen keeps what fails
	if len(s.Keys) == 0 {
		return
	}
	fmt.Fprintln(w)
	table := make([][]string, len(s.Keys))
	for i, f := range s.Keys {
		table[i] = []string{f.Key, output.Bytes(f.Bytes), f.value()}
	}
	output.Table(w, []output.Head{{Name: "KEY", Least: 10}, {Name: "SIZE"}, {Name: "VALUE", Least: 10}}, table)
}

// value is what a person sees of the value.
func (f field) value() string {
	if f.Error != "" {
		return f.Error
	}
	if f.Value == nil {
		return "-"
	}
	text, err := json.Marshal(f.Value)
	if err != nil {
		return "cannot be shown"
	}
	return string(text)
}
