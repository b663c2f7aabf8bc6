// Package durable keeps the tasks of a pipe's sources in a file, so that killing a source loses none:
//
//	topology.Pipe[Task](t, "tasks", endpoint, topology.Durable(durable.File("tasks.db")))
//
// The file is a bbolt database. Programs that don't import this package don't link one.
package durable

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/troupe-go/troupe/topology"
)

// ErrFile is wrapped by the errors of files that can't be opened: they are in use by another process, or something else.
var ErrFile = errors.New("durable: file")

// File returns what opens the file at path for [topology.Durable]; it is made if it isn't there. A source with several
// instances has a file for each: that of the second is at path followed by "-2". A file is used by one process at a
// time: another waits for a second for it, then its run fails.
//
// What is put is written and synced before Put returns. Those who put at the same time share a sync, so a source that
// emits from several goroutines is the faster for it.
func File(path string) func(instance int) (topology.Store, error) {
	return func(instance int) (topology.Store, error) {
		name := path
		if instance > 0 {
			name = fmt.Sprintf("%s-%d", path, instance+1)
		}
		return open(name)
	}
}

var (
	tasks     = []byte("tasks") // bucket: number -> body
	meta      = []byte("meta")  // bucket
	sourceKey = []byte("source")
	nextKey   = []byte("next")
)

// file is a topology.Store.
type file struct {
	db      *bbolt.DB
	changes chan change
	ended   sync.WaitGroup

	mu     sync.RWMutex // held for reading while a change is handed over
	closed bool
}

// change is something to be written. done, if it is there, gets the outcome.
type change struct {
	write func(tx *bbolt.Tx) error
	done  chan error
}

func open(path string) (*file, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true})
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrFile, path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(tasks)
		if err == nil {
			_, err = tx.CreateBucketIfNotExists(meta)
		}
		return err
	})
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("%w %s: %w", ErrFile, path, err)
	}
	f := &file{db: db, changes: make(chan change, maxChanges)}
	f.ended.Go(f.write)
	return f, nil
}

// maxChanges is how many changes are written, and synced, together at most.
const maxChanges = 1000

// write writes changes, as many as there are at a time.
func (f *file) write() {
	var all []change
	for c := range f.changes {
		all = append(all[:0], c)
	more:
		for len(all) < maxChanges {
			select {
			case c, ok := <-f.changes:
				if !ok {
					break more
				}
				all = append(all, c)
			default:
				break more
			}
		}
		err := f.db.Update(func(tx *bbolt.Tx) error {
			for _, c := range all {
				if err := c.write(tx); err != nil {
					return err
				}
			}
			return nil
		})
		for _, c := range all {
			if c.done != nil {
				c.done <- err
			}
		}
	}
}

// do writes and waits until it is on disk.
func (f *file) do(write func(tx *bbolt.Tx) error) error {
	done := make(chan error, 1)
	if !f.hand(change{write, done}) {
		return fmt.Errorf("%w: it is closed", ErrFile)
	}
	return <-done
}

// hand has a change written, unless the file is closed.
func (f *file) hand(c change) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if !f.closed {
		f.changes <- c
	}
	return !f.closed
}

func key(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

func (f *file) Begin(source [16]byte) (used [16]byte, next uint64, err error) {
	err = f.do(func(tx *bbolt.Tx) error {
		m := tx.Bucket(meta)
		if id := m.Get(sourceKey); len(id) == len(used) {
			copy(used[:], id)
		} else {
			used = source
			if err := m.Put(sourceKey, source[:]); err != nil {
				return err
			}
		}
		if n := m.Get(nextKey); len(n) == 8 {
			next = binary.BigEndian.Uint64(n)
		}
		return nil
	})
	return used, next, err
}

func (f *file) Each(do func(number uint64, body []byte) error) error {
	type task struct {
		number uint64
		body   []byte
	}
	for from := uint64(0); ; {
		var some []task
		err := f.db.View(func(tx *bbolt.Tx) error { // a few at a time: what do does may take long
			c := tx.Bucket(tasks).Cursor()
			for k, v := c.Seek(key(from)); k != nil && len(some) < 100; k, v = c.Next() {
				some = append(some, task{binary.BigEndian.Uint64(k), append([]byte(nil), v...)})
			}
			return nil
		})
		if err != nil || len(some) == 0 {
			return err
		}
		for _, t := range some {
			if err := do(t.number, t.body); err != nil {
				return err
			}
			from = t.number + 1
		}
	}
}

func (f *file) Put(number uint64, body []byte) error {
	return f.do(func(tx *bbolt.Tx) error {
		b := tx.Bucket(tasks)
		b.FillPercent = 0.9 // they come in order
		if err := b.Put(key(number), body); err != nil {
			return err
		}
		m := tx.Bucket(meta)
		if n := m.Get(nextKey); len(n) == 8 && binary.BigEndian.Uint64(n) > number {
			return nil
		}
		return m.Put(nextKey, key(number+1))
	})
}

func (f *file) Done(number uint64) {
	f.hand(change{func(tx *bbolt.Tx) error { return tx.Bucket(tasks).Delete(key(number)) }, nil})
}

func (f *file) Clear() error {
	return f.do(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{tasks, meta} {
			if err := tx.DeleteBucket(name); err != nil {
				return err
			}
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *file) Close() error {
	f.mu.Lock()
	first := !f.closed
	f.closed = true
	f.mu.Unlock()
	if !first {
		return nil
	}
	close(f.changes)
	f.ended.Wait()
	return f.db.Close()
}
