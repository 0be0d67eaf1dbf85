package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// mistakes are what is wrong with the flags of a command: a message for each, with the flag and what was found.
type mistakes []error

// add says what is wrong with the value of a flag.
func (m *mistakes) add(flag string, found any, wrong string) {
	*m = append(*m, fmt.Errorf("--%s: %v %s", flag, found, wrong))
}

func (m *mistakes) atLeast(flag string, n, least int) {
	if n < least {
		m.add(flag, n, fmt.Sprintf("is too low; use %d or more", least))
	}
}

func (m *mistakes) within(flag string, n, least, most int) {
	if n < least || n > most {
		m.add(flag, n, fmt.Sprintf("is out of range; use %d to %d", least, most))
	}
}

func (m *mistakes) oneOf(flag, value string, choices ...string) {
	if slices.Contains(choices, value) {
		return
	}
	last := len(choices) - 1
	m.add(flag, fmt.Sprintf("%q", value), "is unknown; choose "+strings.Join(choices[:last], ", ")+" or "+choices[last])
}

// given says that a flag has to be there.
func (m *mistakes) given(flag, value, what string) {
	if value == "" {
		*m = append(*m, fmt.Errorf("--%s: nothing was given; name %s", flag, what))
	}
}

// user refuses the name of a user that is empty, as that of a variable that is not set: everybody would be meant.
func (m *mistakes) user(cmd *cobra.Command, name string) {
	if !cmd.Flags().Changed("user") {
		return
	}
	m.given("user", name, "a user, or leave the flag out")
	if err := nameError(cmd.Context(), name); name != "" && err != nil {
		*m = append(*m, fmt.Errorf("--user: %s", strings.TrimPrefix(err.Error(), "session: ")))
	}
}

// nameError is what is wrong with a name that no user has. A manager in memory knows that as well as that of the site,
// which is not open yet.
func nameError(ctx context.Context, name string) error {
	m, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()}, SweepEvery: session.Never,
	})
	if err != nil {
		return err
	}
	_, err = m.Sessions(ctx, name)
	return errors.Join(err, m.Close())
}

func (m mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	return usage("%w", errors.Join(m...))
}

// flagError words what the parser of flags says as commands do.
func flagError(cmd *cobra.Command, err error) error {
	if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 {
		return noSuchCommand(cmd, words) // whose flags nobody can know
	}
	var invalid *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &invalid):
		flag := invalid.GetFlag()
		return usage("--%s: %q is not %s; see %s --help", flag.Name, invalid.GetValue(), kind(flag), cmd.CommandPath())
	case errors.As(err, &missing) && missing.GetFlag() != nil:
		return usage("--%s: a value is missing; see %s --help", missing.GetFlag().Name, cmd.CommandPath())
	}
	return usage("%w; see %s --help", err, cmd.CommandPath())
}

// kind says what a flag takes.
func kind(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "int":
		return "a whole number"
	case "bool":
		return "true or false"
	case "duration":
		return "a duration such as 90s or 1h30m"
	}
	return "a value that it accepts"
}
