package durable

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func left(t *testing.T, f *file) (all []string) {
	t.Helper()
	err := f.Each(func(number uint64, body []byte) error {
		all = append(all, fmt.Sprint(number, " ", string(body)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFileKeepsWhatIsNotDone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tasks.db")
	f, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	mine, other := [16]byte{1}, [16]byte{2}
	if id, next, err := f.Begin(mine); id != mine || next != 0 || err != nil {
		t.Error(id, next, err)
	}
	var putting sync.WaitGroup
	for n := range uint64(500) {
		putting.Go(func() {
			if err := f.Put(n, fmt.Append(nil, "body ", n)); err != nil {
				t.Error(err)
			}
		})
	}
	putting.Wait()
	for n := range uint64(500) {
		if n%100 != 7 {
			f.Done(n)
		}
	}
	if _, err := open(path); !errors.Is(err, ErrFile) {
		t.Errorf("opened twice: %v", err)
	}
	f.Close()
	f.Done(7) // too late
	if err := f.Put(501, nil); !errors.Is(err, ErrFile) {
		t.Error(err)
	}

	if f, err = open(path); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if id, next, err := f.Begin(other); id != mine || next != 500 || err != nil {
		t.Error(id, next, err)
	}
	if all := left(t, f); !slices.Equal(all, []string{"7 body 7", "107 body 107", "207 body 207", "307 body 307", "407 body 407"}) {
		t.Error(all)
	}
	if err := f.Clear(); err != nil {
		t.Error(err)
	}
	if id, next, err := f.Begin(other); id != other || next != 0 || err != nil || len(left(t, f)) != 0 {
		t.Error(id, next, err)
	}
}

func TestInstancesHaveFilesOfTheirOwn(t *testing.T) {
	file := File(filepath.Join(t.TempDir(), "tasks.db"))
	for i := range 3 {
		s, err := file(i)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
	}
}
