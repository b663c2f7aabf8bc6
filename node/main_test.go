package node

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/troupe-go/troupe/codec"
)

func TestMain(m *testing.M) {
	if err := errors.Join(codec.RegisterError(errStage, "node-test.locked"), codec.Register[meet]()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if os.Getenv(childEnv) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}
