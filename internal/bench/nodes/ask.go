package nodes

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// patience is how long a round of asks may take.
const patience = 30 * time.Second

// ask does rounds in which the clients share the asks, and measures them. A message has its client in its first four
// bytes. It returns only to fail.
func (w worker) ask(ask func(ctx context.Context, client int, msg []byte) ([]byte, error)) error {
	for n := range w.Rounds {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		start := time.Now()
		err := each(w.clients, func(client int) error {
			msg := make([]byte, w.size)
			binary.BigEndian.PutUint32(msg, uint32(client))
			for i := range (n + client) / w.clients {
				binary.BigEndian.PutUint32(msg[4:], uint32(i))
				reply, err := ask(ctx, client, msg)
				if err != nil {
					return err
				}
				if !bytes.Equal(reply, msg) {
					return fmt.Errorf("another reply came for ask %d of client %d", i, client)
				}
			}
			return nil
		})
		took := time.Since(start)
		cancel()
		if err != nil {
			return err
		}
		w.Did(n, took, 0)
	}
	return nil
}

// serve does rounds at the end that answers, which has nothing to do with them. It returns only to fail.
func (w worker) serve() error {
	for n := range w.Rounds {
		w.Did(n, 0, 0)
	}
	return nil
}
