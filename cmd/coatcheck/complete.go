package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/sessionconfig"
	"github.com/coatcheck/session/sqlstore"
)

const (
	// patience is how long somebody who pressed Tab waits. What was found by then is offered.
	patience = time.Second
	// offered is how many completions are of use.
	offered = 100
)

// completeWith lets the shell complete the values of a flag.
func completeWith(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// unquoted matches a word that every shell takes as it is. Tab puts what several words have in common on the command
// line without quotes, and the next Tab has the shell expand that. Whoever means another name types it.
var unquoted = regexp.MustCompile(`\A[\pL\pN@_.:/+-][\pL\pM\pN@_.:/+-]*\z`)

// completeUsers completes --user with the users who have sessions.
func completeUsers(cmd *cobra.Command) *cobra.Command {
	_ = cmd.RegisterFlagCompletionFunc("user", func(cmd *cobra.Command, _ []string, begun string) ([]string,
		cobra.ShellCompDirective) {
		return fromStore(cmd, func(rec *session.Record) string {
			if !strings.HasPrefix(rec.User, begun) || !unquoted.MatchString(rec.User) {
				return ""
			}
			return rec.User
		}), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// completeIDs completes arguments with the beginnings of ids, and says whose they are; most is -1 for any number.
func completeIDs(cmd *cobra.Command, most int) *cobra.Command {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]string,
		cobra.ShellCompDirective) {
		if most >= 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return fromStore(cmd, func(rec *session.Record) string {
			id := rec.ID[:min(len(rec.ID), max(shortest, len(begun)))]
			if rec.Kind != session.KindLive || !strings.HasPrefix(id, begun) || slices.Contains(args, id) {
				return ""
			}
			return fmt.Sprintf("%s\t%s, %s, seen %s", id, output.Clean(orDash(rec.User)), guard.Device(rec.UserAgent),
				output.Ago(rec.SeenAt, time.Now()))
		}), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// completeStores completes flags with the stores of the configuration that can be listed, and their connections.
func completeStores(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string,
			cobra.ShellCompDirective) {
			return storesOf(cmd), cobra.ShellCompDirectiveNoFileComp
		})
	}
}

func storesOf(cmd *cobra.Command) []string {
	cfg := configOf(cmd)
	if cfg == nil {
		return nil
	}
	var list []string
	for _, store := range []string{"database", "file", "redis"} {
		if _, err := cfg.WithStore(store); err == nil {
			list = append(list, store)
		}
		for _, name := range cfg.Connections() {
			if _, err := cfg.WithStore(store + ":" + name); err == nil && store != "file" &&
				unquoted.MatchString(name) {
				list = append(list, store+":"+name)
			}
		}
	}
	return list
}

// configOf is the configuration that the words so far name, or nil.
func configOf(cmd *cobra.Command) *sessionconfig.Config {
	paths, _ := cmd.Flags().GetStringArray("config")
	cfg, err := (&tool{paths: paths}).config()
	if err != nil {
		return nil
	}
	return cfg
}

// fromStore goes through the records of the store and offers what a function makes of them. A store that does not
// answer, or answers late, is no reason to disturb somebody who types: nothing is said. Nothing is made either.
func fromStore(cmd *cobra.Command, offer func(*session.Record) string) []string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found := make(chan string)
	go func() { // which may hang: the process ends with the answer
		defer close(found)
		store, closer, err := storeToRead(ctx, configOf(cmd))
		if err != nil {
			return
		}
		defer closer.Close()
		for rec, err := range survey.Records(ctx, store) {
			if err != nil {
				return
			}
			select {
			case found <- offer(rec):
			case <-ctx.Done():
				return
			}
		}
	}()
	return gather(ctx, found)
}

// gather collects what is found until there is enough of it, or the time is over.
func gather(ctx context.Context, found <-chan string) []string {
	met := map[string]string{} // by the word, without what is said of it
	for ok := true; ok && len(met) < offered; {
		var text string
		select {
		case text, ok = <-found:
		case <-ctx.Done():
			ok = false
		}
		if word, _, _ := strings.Cut(text, "\t"); word != "" {
			met[word] = text
		}
	}
	return slices.Sorted(maps.Values(met))
}

var errNothingThere = errors.New("there is nothing to list")

// storeToRead opens the store, and makes no table, file or folder. It runs no program either: the folder may be
// somebody else's, and Tab is no consent to what its configuration names.
func storeToRead(ctx context.Context, cfg *sessionconfig.Config) (session.Store, io.Closer, error) {
	if cfg == nil || cfg.Store == "memory" || cfg.Store == "cookies" || absent(cfg) != nil ||
		cfg.Place().Program {
		return nil, nil, errNothingThere
	}
	if cfg.Store != "database" {
		return cfg.OpenStore(ctx)
	}
	db, opts, err := cfg.OpenDatabase(ctx)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.New(db, opts)
	return store, db, err
}
