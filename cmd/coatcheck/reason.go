package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
)

// reasonFlag lets an operator who ends sessions say why.
func reasonFlag(cmd *cobra.Command, why *string) {
	cmd.Flags().StringVar(why, "reason", string(session.ReasonOperator),
		`what Session.EndedBy tells the people who had them, such as password; "" tells nothing`)
}

// canBe refuses a reason that no session can end for, before anybody is asked. Nothing is ended.
func (s *site) canBe(ctx context.Context, why string) error {
	if _, err := s.revokeFor(ctx, why); err != nil {
		return usage("--reason: %s", strings.TrimPrefix(err.Error(), "session: "))
	}
	return nil
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
