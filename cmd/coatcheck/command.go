package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/sessionconfig"
	_ "github.com/coatcheck/session/sessionconfig/all" // whatever a site uses
)

// The exit codes, which docs/cli.md explains.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitFound       = 3 // a check found something
	exitUnavailable = 4 // the store cannot be reached
)

// exit is an error with a code of its own.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return e.err.Error() }
func (e *exit) Unwrap() error { return e.err }

// found ends a command that did its work and found something wrong.
func found(format string, args ...any) error { return &exit{exitFound, fmt.Errorf(format, args...)} }

func usage(format string, args ...any) error { return &exit{exitUsage, fmt.Errorf(format, args...)} }

// code is the exit code of an error.
func code(err error) int {
	var e *exit
	var p *sessionconfig.Problem
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.code
	case errors.As(err, &p):
		return exitUsage
	case errors.Is(err, session.ErrUnavailable):
		return exitUnavailable
	}
	return exitFailed
}

// tool is what commands have in common: where the configuration is, and how they answer.
type tool struct {
	output.Printer
	paths []string
	wide  bool // a terminal is written to as if it were a file
}

// work is what a command does.
type work func(ctx context.Context, t *tool, args []string) error

// command makes a command of the work that it does. It has --config and --json, and ends in order when it is
// interrupted.
func command(cmd *cobra.Command, do work) *cobra.Command {
	plain(cmd, do).takesConfig(cmd)
	return cmd
}

// table is a command whose result has ids, which are shortened on a terminal.
func table(cmd *cobra.Command, do work) *cobra.Command {
	t := plain(cmd, do)
	t.takesConfig(cmd)
	t.takesWide(cmd)
	return cmd
}

func (t *tool) takesConfig(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&t.paths, "config", nil,
		"configuration file, may be repeated; default $COATCHECK_CONFIG, else session.yaml where there is one, and "+
			"the environment")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml", "toml", "json")
}

// plain makes a command that needs no configuration.
func plain(cmd *cobra.Command, do work) *tool {
	t := &tool{}
	cmd.Flags().BoolVar(&t.JSON, "json", false, "answer in JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		defer context.AfterFunc(ctx, stop)() // a second signal ends the process at once
		out := output.NewScreen(cmd.OutOrStdout())
		if t.wide {
			out.Columns = 0
		}
		t.Out, t.Err = out, cmd.ErrOrStderr()
		err := setColour(cmd)
		if err == nil {
			err = interrupted(do(ctx, t, args))
		}
		if err != nil && !out.Wrote {
			_ = t.failed(err) // which is told in words, too
		}
		return cmp.Or(err, out.Err)
	}
	return t
}

// takesWide adds --wide to a command that shows ids or times.
func (t *tool) takesWide(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&t.wide, "wide", false, "shorten nothing, whatever the width of the terminal")
}

func setColour(cmd *cobra.Command) error {
	when := cmd.Flag("color").Value.String()
	var wrong mistakes
	if output.SetColour(when, cmd.OutOrStdout()) != nil {
		wrong.oneOf("color", when, colours...)
	}
	return wrong.err()
}

// failed writes the JSON of an error, in the place of a result.
func (t *tool) failed(err error) error {
	return t.Value(map[string]any{"error": err.Error(), "exit": code(err)}, func(io.Writer) {})
}

const defaultConfig = "session.yaml"

// config loads the configuration for a command: it sweeps when it is asked to, and tells failures itself.
func (t *tool) config() (*sessionconfig.Config, error) {
	cfg, err := t.load()
	if err == nil {
		cfg.Options.SweepEvery, cfg.Options.Logger = session.Never, slog.New(slog.DiscardHandler)
	}
	return cfg, err
}

// load loads the configuration that the flags, a variable or the folder name.
func (t *tool) load() (*sessionconfig.Config, error) {
	cfg, named, err := t.read()
	if err == nil && cfg.Store == "" && !named {
		err = usage("there is no configuration: name one with --config, set SESSION_STORE and what it needs, " +
			"or run coatcheck init")
	}
	if err != nil {
		return nil, err
	}
	return cfg, nil
}

// read is load for commands that can do without a configuration. It also reports whether there is a file.
func (t *tool) read() (cfg *sessionconfig.Config, named bool, err error) {
	paths := t.paths
	if env := os.Getenv("COATCHECK_CONFIG"); len(paths) == 0 && env != "" {
		paths = []string{env}
	}
	if _, err := os.Stat(defaultConfig); len(paths) == 0 && err == nil {
		paths = []string{defaultConfig}
	}
	cfg, err = sessionconfig.Load(paths...)
	return cfg, len(paths) > 0, err
}

// site is a configuration that was opened.
type site struct {
	*session.Manager
	cfg    *sessionconfig.Config
	store  session.Store
	closer io.Closer

	secrets int // how many there are
}

// open opens the store of a configuration, as the site has it. With made, a folder that is not there is made.
func open(ctx context.Context, cfg *sessionconfig.Config, made bool) (*site, error) {
	if cfg.Store == "memory" {
		return nil, usage("the store memory keeps its sessions in the process of the site, where no command can " +
			"reach them; name another store")
	}
	opts := cfg.Options
	opts.SecretSource = nil // a command is over before they are read again
	var err error
	if opts.Secrets, err = cfg.Secrets(ctx); err != nil {
		return nil, usage("%w", err)
	}
	if err = present(cfg, made); err == nil {
		err = migrated(ctx, cfg, made)
	}
	if err != nil {
		return nil, err
	}
	store, closer, err := cfg.OpenStore(ctx)
	if wrong := (*sessionconfig.Problem)(nil); errors.As(err, &wrong) {
		return nil, err
	}
	if err != nil {
		if as := asOwner(cfg.Place().Path, os.Geteuid()); as != nil {
			err = fmt.Errorf("%w; %w", err, as)
		}
		return nil, &exit{exitUnavailable, err}
	}
	m, err := session.New(store, opts)
	if err != nil {
		return nil, errors.Join(err, closer.Close())
	}
	return &site{m, cfg, store, closer, len(opts.Secrets)}, nil
}

// everything was done, or has told why not
func (s *site) close() { _ = errors.Join(s.Manager.Close(), s.closer.Close()) }

// open opens the configured store.
func (t *tool) open(ctx context.Context) (*site, error) {
	cfg, err := t.config()
	if err != nil {
		return nil, err
	}
	return open(ctx, cfg, false)
}

// opened is work on the configured store, which is closed afterwards.
func opened(do func(ctx context.Context, t *tool, s *site, args []string) error) work {
	return func(ctx context.Context, t *tool, args []string) error {
		s, err := t.open(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		return do(ctx, t, s, args)
	}
}

// lister is the store as one whose records can be gone through.
func (s *site) lister() (session.Lister, error) {
	if l, ok := s.store.(session.Lister); ok {
		return l, nil
	}
	return nil, fmt.Errorf("the store %s cannot list its sessions", s.cfg.Store)
}

// exactly is the argument check of a command that takes n arguments; what says what they are.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("%s", what)
		}
		return nil
	}
}
