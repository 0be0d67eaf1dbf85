package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

// pressed is a store during one of whose saves somebody presses Ctrl-C.
type pressed struct {
	*memstore.Store
	saves atomic.Int64 // until then
	press func()
}

func (p *pressed) Save(ctx context.Context, rec *session.Record) error {
	if p.saves.Add(-1) == 0 {
		p.press()
	}
	return p.Store.Save(ctx, rec)
}

func TestARevocationThatIsInterruptedSaysHowManyHaveEnded(t *testing.T) {
	ctx, press := context.WithCancel(t.Context())
	defer press()
	store := &pressed{Store: memstore.New(memstore.Options{}), press: press}
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()},
		SweepEvery: session.Never})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for range 400 {
		signedIn(t.Context(), t, m)
	}
	store.saves.Store(200)
	var out, said bytes.Buffer
	var done tally
	cmd := command(&cobra.Command{}, func(ctx context.Context, t *tool, _ []string) error {
		site := &site{Manager: m, cfg: &sessionconfig.Config{Store: "memory"}, store: store}
		var err error
		done, err = site.revoke(ctx, t, target{all: true, reason: "operator"}, true)
		return err
	})
	cmd.Flags().String("color", "never", "")
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(&out)
	cmd.SetErr(&said)
	cmd.SetArgs([]string{"--json"})
	err = cmd.ExecuteContext(ctx)
	want := fmt.Sprintf("after ending %d sessions: interrupted", done.ended)
	if err == nil || err.Error() != want || code(err) != exitFailed || done.ended < 100 || done.ended == 400 {
		t.Errorf("the command ended with %v, code %d, want %q and %d", err, code(err), want, exitFailed)
	}
	var told struct {
		Error string
		Exit  int
	}
	if err := json.Unmarshal(out.Bytes(), &told); err != nil || told.Error != want || told.Exit != exitFailed {
		t.Errorf("--json says %s, %v, want %q with %d", strings.TrimSpace(out.String()), err, want, exitFailed)
	}
}
