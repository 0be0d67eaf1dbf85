package session

import (
	"fmt"

	"github.com/coatcheck/session/internal/data"
)

// dataError is an error of package data as callers know it.
func dataError(err error) error {
	switch err := err.(type) {
	case *data.DecodeError:
		return (*DecodeError)(err)
	case *data.SizeError:
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return err
}
