//go:build !unix

package keyfile

import (
	"os"
	"time"
)

// Changed is when a file was last written. One that was moved or copied to its place may have the time of its origin.
func Changed(path string) (time.Time, error) {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}
