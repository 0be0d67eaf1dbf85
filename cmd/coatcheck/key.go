package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/keyfile"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

func newKey() *cobra.Command {
	return group("key", "Generate and rotate the secrets that sign tickets",
		"  coatcheck key generate --file secret.txt\n  coatcheck key rotate",
		newKeyGenerate(), newKeyRotate())
}

func newKeyGenerate() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Print a new secret, or write it to a file",
		Long: `Print a new secret of 32 random bytes, in the form that SESSION_SECRETS and the file of
secrets.file expect. With --file it is not printed but written to a new file that only its owner
can read (0600). An existing file is not touched.`,
		Example: `  coatcheck key generate --file secret.txt
  SESSION_SECRETS=$(coatcheck key generate) ./shop`,
		Args: noArguments,
	}
	cmd.Flags().StringVar(&file, "file", "", "write it to this new file instead")
	plain(cmd, func(_ context.Context, t *tool, _ []string) error {
		if err := fileGiven(cmd, file); err != nil {
			return err
		}
		if file == "" {
			secret := keyfile.New()
			return t.Value(map[string]string{"secret": secret}, func(w io.Writer) { fmt.Fprintln(w, secret) })
		}
		if err := keyfile.Create(file); err != nil {
			return err
		}
		return t.Value(map[string]string{"file": file}, func(w io.Writer) { fmt.Fprintln(w, "created", file) })
	})
	return cmd
}

func newKeyRotate() *cobra.Command {
	var file string
	var keep int
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Put a new secret in front of the old ones",
		Long: `Put a new secret in front of those in the file. The newest one signs and all of them verify, so
nobody is signed out. The file is replaced in one step, and keeps its owner, group and mode,
without the rights that a site refuses.

A site with secrets.reload signs with the new secret within six minutes, any other from its next
start on. So does one that reads a copy of the file: a credential of systemd, or a variable with
which a container was started. If several processes share the sessions without secrets.reload, that
signs people out while some have started and others have not: do it in two rounds, as
docs/deploying.md says.

Keep an old secret until the longest session is over, also in a library whose sessions the site
takes over. A process with secrets.reload signs with an old one again for four minutes after each
start: for sessions that begin or change in that time, and are not used again, that counts from
there. --keep drops the oldest ones, which signs out everybody whose ticket only a dropped secret
had signed. Their sessions stay in the store until they expire, and count for max_per_user;
coatcheck session revoke --all ends them.`,
		Example: `  coatcheck key rotate
  coatcheck key rotate --file secret.txt --keep 1`,
		Args: noArguments,
	}
	cmd.Flags().StringVar(&file, "file", "", "the file; default: the one that secrets.file of the configuration names")
	cmd.Flags().IntVar(&keep, "keep", -1, "how many of the old secrets to keep")
	cmd.Flags().Lookup("keep").DefValue = "all"
	return command(cmd, func(ctx context.Context, t *tool, _ []string) error {
		if cmd.Flags().Changed("keep") && keep < 0 {
			return usage("--keep: %d is too low; use 0 or more, or leave it out to keep all", keep)
		}
		err := fileGiven(cmd, file)
		if err == nil && file == "" {
			file, err = t.secretsFile(ctx)
		}
		if err != nil {
			return err
		}
		n, err := keyfile.Rotate(file, keep)
		if err != nil {
			return err
		}
		return t.Value(map[string]any{"file": file, "secrets": n}, func(w io.Writer) {
			fmt.Fprintf(w, "%s now has %s; the new one signs, and all of them verify\n", file,
				output.Count(n, "secret"))
			if keep == 0 {
				fmt.Fprintln(w, "this signs everybody out; to end their sessions in the store as well, which count "+
					"for max_per_user, run coatcheck session revoke --all")
			}
		})
	})
}

// fileGiven refuses the name of a file that is empty, as that of a variable that is not set: a secret would be shown,
// or another file changed.
func fileGiven(cmd *cobra.Command, file string) error {
	var wrong mistakes
	if cmd.Flags().Changed("file") {
		wrong.given("file", file, "a file, or leave the flag out")
	}
	return wrong.err()
}

// secretsFile is the file that the configuration names. Where it is absent, what the secrets are instead is an error.
func (t *tool) secretsFile(ctx context.Context) (string, error) {
	cfg, err := t.config()
	if err != nil {
		return "", err
	}
	file := cfg.SecretsFile()
	if os.Getenv("SESSION_SECRETS") != "" {
		return "", usage("SESSION_SECRETS holds the secrets, whatever files say: put the new one in front by hand " +
			"there, or name a file with --file")
	}
	if file == "" {
		return "", usage("--file: nothing was given, and the configuration has no secrets.file; name one, or " +
			"put the new secret in front by hand where the secrets are")
	}
	if _, absent := os.Stat(file); absent != nil {
		if _, err := cfg.Secrets(ctx); err != nil {
			return "", usage("%w", err) // which shows no secret that is there by mistake
		}
	}
	return file, nil
}
