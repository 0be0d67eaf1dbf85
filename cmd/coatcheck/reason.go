package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/life"
)

// reasonFlag lets an operator who ends sessions say why.
func reasonFlag(cmd *cobra.Command, why *string) {
	cmd.Flags().StringVar(why, "reason", string(session.ReasonOperator),
		`what Session.EndedBy tells the people who had them, such as password; "" tells nothing`)
}

// reason refuses what no session can end for, before anybody is asked.
func (m *mistakes) reason(why string) {
	if err := life.CheckReason(life.Reason(why)); why != "" && err != nil {
		*m = append(*m, fmt.Errorf("--reason: %s", strings.TrimPrefix(err.Error(), "session: ")))
	}
}

// revokeFor ends sessions by their ids, for a reason if there is one.
func (s *site) revokeFor(ctx context.Context, why string, ids ...string) (int, error) {
	if why == "" {
		return s.Revoke(ctx, ids...)
	}
	return s.RevokeFor(ctx, session.Reason(why), ids...)
}

// revokeUserFor ends the sessions of a user, for a reason if there is one.
func (s *site) revokeUserFor(ctx context.Context, why, name string) (int, error) {
	if why == "" {
		return s.RevokeUser(ctx, name)
	}
	return s.RevokeUserFor(ctx, session.Reason(why), name)
}
