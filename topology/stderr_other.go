//go:build !unix

package topology

import "os"

// stderr returns standard error, where writing to it doesn't end the process.
func stderr() *os.File { return os.Stderr }
