package actor

import (
	"context"
	"errors"
	"fmt"
)

// SpawnOn starts an actor on a node, this one or another, that has registered its kind there: see RegisterKind. It returns
// the actor's exact PID. The actor is nobody's child: what comes of its failures is up to that node's Config.Supervision.
// It stops with this node: when that takes this one for gone or unreachable, so that nothing is left behind. NewProxy makes
// one that is supervised from here.
//
// SpawnOn fails with ErrNoNode or ErrUnreachable, ErrNoKind, ErrName for what is no name of a node, a kind or an actor,
// ErrType if the kind takes another argument, ErrFull if that node has too many actors started from here (65,536, or 1,024
// at one time), with the error of the kind's function, or with ctx's own. If it fails because its time is up, an actor that
// is started nevertheless is stopped.
func SpawnOn(ctx context.Context, in Scope, node, kind, name string, arg any) (PID, error) {
	sc, err := scopeOf(in)
	if err != nil {
		return PID{}, err
	}
	s, err := sc.spawnOn(ctx, node, kind, name, arg)
	return s.pid, err
}

// remoteActor is an actor that was started on a node.
type remoteActor struct {
	pid    PID
	number uint64 // by which its node knows it; 0 = it is here
}

func (sc scope) spawnOn(ctx context.Context, node, kind, name string, arg any) (remoteActor, error) {
	target := nobody(node)
	switch {
	case ctx == nil:
		return remoteActor{}, fmt.Errorf("%w: nil context", ErrUsage)
	case ctx.Err() != nil:
		return remoteActor{}, unanswered(ctx, node, kind)
	}
	if err := errors.Join(checkName("node name", node), checkName("kind", kind)); err != nil {
		return remoteActor{}, err
	}
	if name != "" {
		if err := checkName("name", name); err != nil {
			return remoteActor{}, err
		}
		target = Named(name + "@" + node)
	}
	if node == sc.sys.node {
		c, err := sc.sys.start(kind, name, arg)
		if err != nil {
			return remoteActor{}, err
		}
		return remoteActor{pid: c.self}, nil
	}
	return sc.spawnFar(ctx, target, kind, arg)
}

func (sc scope) spawnFar(ctx context.Context, target PID, kind string, arg any) (remoteActor, error) {
	s := sc.sys
	a := sc.newAsk(target)
	a.blocking()
	number := s.pending.add(a, target, true)
	deadline, _ := ctx.Deadline()
	err := sc.send(&Envelope{Kind: KindSpawn, Target: target, Correlation: number, Deadline: deadline,
		Meta: map[string]string{MetaKind: kind}, Value: arg})
	if err != nil && a.leave() {
		return remoteActor{}, err
	}
	pid, err := As[PID](a.wait(ctx, sc.cell))
	if err == nil && pid.Node() != target.Node() {
		err = fmt.Errorf("%w: node %q says that it has started %v", ErrType, target.Node(), pid)
	}
	if err != nil { // perhaps because nobody waits any more
		_ = s.halt(remoteActor{nobody(target.Node()), number}, "")
		if ctx.Err() != nil {
			err = unanswered(ctx, target.Node(), kind)
		}
		return remoteActor{}, err
	}
	return remoteActor{pid, number}, nil
}

func unanswered(ctx context.Context, node, kind string) error {
	return endedBy(ctx, fmt.Sprintf("spawn of kind %q on node %q", kind, node))
}

// halt stops what was spawned on another node, without waiting for it. If how is stopNow it does not get to what is queued.
func (s *System) halt(there remoteActor, how string) error {
	return s.send(&Envelope{Kind: KindStop, Target: there.pid, Sender: s.self, Correlation: there.number, Type: how})
}
