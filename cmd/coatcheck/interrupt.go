package main

import (
	"context"
	"errors"
	"fmt"
)

var errInterrupted = errors.New("interrupted")

// interrupted leaves out what a store says of being interrupted, which is no news to whoever pressed Ctrl-C.
func interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	return err
}

// halfway says how far a command got before an error, or a signal, ended it.
func halfway(ctx context.Context, err error, format string, args ...any) error {
	if ctx.Err() != nil {
		err = errInterrupted // whatever the store makes of that
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
