package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// C42
func TestExactlyOneOfManySpawnsOfANameWins(t *testing.T) {
	s := start(t, actor.Config{Node: "alpha"})
	var created, won atomic.Int32
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			ref, err := actor.SpawnNew(s, "x", func() *player[int] {
				created.Add(1)
				return &player[int]{receive: func(c *actor.Context, n int) error { return c.Reply(n) }}
			})
			if err == nil {
				won.Add(1)
				if _, err := ref.Ask(t.Context(), s, 1); err != nil {
					t.Error(err)
				}
			} else if !errors.Is(err, actor.ErrNameTaken) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if created.Load() != 1 || won.Load() != 1 {
		t.Fatalf("%d won, %d created", won.Load(), created.Load())
	}
	if n, err := actor.As[int](actor.RefTo[int](actor.Named("x@alpha")).Ask(t.Context(), s, 7)); n != 7 || err != nil {
		t.Fatal(n, err)
	}
}

func TestBadNamesAreRefused(t *testing.T) {
	s := start(t, actor.Config{})
	for _, name := range []string{"a@b", "a:b", "a/b", "a b", "\n", "a\x7f", "\xff", strings.Repeat("x", 256)} {
		_, err := actor.Spawn(s, name, func(*actor.Context, int) error { return nil })
		wantErr(t, err, actor.ErrName)
	}
	spawn(t, s, strings.Repeat("x", 255), func(*actor.Context, int) error { return nil })
}

// C43
func TestStopThenSpawnOfTheSameNameAlwaysWorks(t *testing.T) {
	s := start(t, actor.Config{})
	for i := range 2000 {
		ref, err := actor.Spawn(s, "x", func(c *actor.Context, n int) error {
			if n != i {
				t.Errorf("message for number %d reached number %d", n, i)
			}
			return nil
		})
		if err != nil {
			t.Fatal(i, err)
		}
		tell(t, s, ref, i, i, i, i, i)
		stop(t, s, ref)
		wantErr(t, ref.Tell(s, i), actor.ErrNoActor)
	}
}

// C40
func TestNoMessageIsHandledBeforeTheStartHookHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{HWM: 10})
		began, handled := time.Now(), 0
		ref, err := actor.SpawnNew(s, "", func() *player[int] {
			return &player[int]{
				start: func(*actor.Context) error { time.Sleep(time.Second); return nil },
				receive: func(*actor.Context, int) error {
					if handled++; time.Since(began) != time.Second {
						t.Errorf("handled after %v", time.Since(began))
					}
					return nil
				},
			}
		})
		if err != nil || time.Since(began) != 0 {
			t.Fatalf("Spawn took %v: %v", time.Since(began), err)
		}
		tell(t, s, ref, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		stop(t, s, ref)
		if handled != 10 {
			t.Fatalf("handled %d", handled)
		}
	})
}

// C41
func TestAFailedStartOfATemporaryActorStopsItAndFreesItsName(t *testing.T) {
	for what, create := range map[string]func() *player[int]{
		"error":  func() *player[int] { return &player[int]{start: func(*actor.Context) error { return errOwn }} },
		"panic":  func() *player[int] { return &player[int]{start: func(*actor.Context) error { panic("start") }} },
		"create": func() *player[int] { panic("create") },
		"nil":    func() *player[int] { return nil },
		"goexit": func() *player[int] {
			return &player[int]{start: func(*actor.Context) error { runtime.Goexit(); return nil }}
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, actor.Config{})
				hold := make(chan struct{})
				ref, err := actor.SpawnNew(s, "x", func() *player[int] { <-hold; return create() }, actor.Restart(actor.Temporary))
				if err != nil {
					t.Fatal(err)
				}
				tell(t, s, ref, 1, 2)
				asked := make(chan error)
				go func() {
					_, err := ref.Ask(t.Context(), s, 3)
					asked <- err
				}()
				synctest.Wait()
				close(hold)
				wantErr(t, <-asked, actor.ErrNoActor)
				synctest.Wait()
				wantDead(t, s, map[actor.Reason]uint64{actor.Stopped: 3})
				wantErr(t, ref.Tell(s, 4), actor.ErrNoActor)
				spawn(t, s, "x", func(*actor.Context, int) error { return nil })
			})
		})
	}
}

// C46: the failing message is dropped, the rest is handled in order by a fresh instance, hooks run once per instance.
func TestAFailureRestartsTheActorWithItsQueueKept(t *testing.T) {
	for what, fail := range map[string]func() error{
		"error":  func() error { return errOwn },
		"panic":  func() error { panic("five") },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, actor.Config{})
				log := new(list[string])
				n := 0
				ref, err := actor.SpawnNew(s, "", func() *player[int] {
					n++
					me := n
					return &player[int]{
						start: func(c *actor.Context) error { log.add(fmt.Sprint("start ", me)); return nil },
						stop: func(c *actor.Context) error {
							log.add(fmt.Sprint("stop ", me, " ", c.Err()))
							return nil
						},
						receive: func(c *actor.Context, m int) error {
							if m == 5 {
								return fail()
							}
							log.add(fmt.Sprint(me, ":", m))
							return nil
						},
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				tell(t, s, ref, 4, 5, 6, 7)
				stop(t, s, ref)
				want := []string{"start 1", "1:4", "stop 1 context canceled", "start 2", "2:6", "2:7", "stop 2 context canceled"}
				if got := log.all(); !slices.Equal(got, want) {
					t.Fatalf("%q", got)
				}
				wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1})
			})
		})
	}
}

func TestChildrenAreGoneBeforeTheirParentStartsAnew(t *testing.T) {
	s := start(t, actor.Config{Node: "n"})
	log := new(list[string])
	n := 0
	ref, err := actor.SpawnNew(s, "parent", func() *player[string] {
		n++
		me := n
		return &player[string]{
			start: func(c *actor.Context) error {
				log.add(fmt.Sprint("start ", me))
				_, err := actor.SpawnNew(c, "c", func() *player[string] {
					return &player[string]{
						receive: func(c *actor.Context, m string) error { return c.Reply(me) },
						stop:    func(*actor.Context) error { log.add(fmt.Sprint("stop c", me)); return nil },
					}
				})
				return err
			},
			stop: func(c *actor.Context) error { log.add(fmt.Sprint("stop ", me)); return nil },
			receive: func(c *actor.Context, m string) error {
				if m == "fail" {
					return errOwn
				}
				return c.Reply(me)
			},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	tell(t, s, ref, "fail")
	ctx := within(t, 10*time.Second)
	if me, err := actor.As[int](ref.Ask(ctx, s, "who")); me != 2 || err != nil {
		t.Fatal(me, err)
	}
	if me, err := actor.As[int](actor.RefTo[string](actor.Named("parent/c@n")).Ask(ctx, s, "who")); me != 2 || err != nil {
		t.Fatal(me, err)
	}
	stop(t, s, ref)
	want := []string{"start 1", "stop c1", "stop 1", "start 2", "stop c2", "stop 2"}
	if got := log.all(); !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
}

// What an instance that has ended, or its stop hook, spawns would be a child of the next.
func TestAnInstanceThatEndedTakesNoChildren(t *testing.T) {
	s := start(t, actor.Config{Node: "n"})
	child := func(c *actor.Context) error {
		_, err := actor.Spawn(c, "c", func(c *actor.Context, m string) error { return nil })
		return err
	}
	hooked := make(chan error, 8)
	var first *actor.Context
	ref, err := actor.SpawnNew(s, "parent", func() *player[string] {
		return &player[string]{
			receive: func(c *actor.Context, m string) error {
				if first == nil {
					first = c
					return errOwn
				}
				if err := child(first); !errors.Is(err, actor.ErrClosed) {
					return fmt.Errorf("the old instance has a child: %w", err)
				}
				return c.Reply(child(c))
			},
			stop: func(c *actor.Context) error {
				hooked <- child(c)
				return nil
			},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	tell(t, s, ref, "fail")
	if a, err := actor.As[any](ref.Ask(within(t, 10*time.Second), s, "spawn")); a != nil || err != nil {
		t.Fatal(a, err)
	}
	wantErr(t, <-hooked, actor.ErrClosed)
}

func TestNamesAreUniqueAmongSiblingsOnly(t *testing.T) {
	s := start(t, actor.Config{Node: "n"})
	child := func(c *actor.Context, name string) error {
		ref, err := actor.Spawn(c, name, func(c *actor.Context, _ int) error { return c.Reply(c.Self()) })
		if err != nil {
			return c.Reply(err)
		}
		return c.Reply(ref)
	}
	ctx := within(t, 10*time.Second)
	var refs []actor.Ref[int]
	parents := []actor.Ref[string]{spawn(t, s, "a", child), spawn(t, s, "b", child), spawn(t, s, "", child), spawn(t, s, "", child)}
	for _, parent := range parents {
		ref, err := actor.As[actor.Ref[int]](parent.Ask(ctx, s, "c"))
		if err != nil || slices.Contains(refs, ref) {
			t.Fatal(ref, err)
		}
		refs = append(refs, ref)
		_, err = parent.Ask(ctx, s, "c")
		wantErr(t, err, actor.ErrNameTaken)
	}
	for i, name := range []string{"a/c@n", "b/c@n", fmt.Sprintf("/%016x/c@n", parents[2].PID().ID())} {
		pid, err := actor.As[actor.PID](actor.RefTo[int](actor.Named(name)).Ask(ctx, s, 0))
		if err != nil || pid != refs[i].PID() {
			t.Fatal(name, pid, err)
		}
	}
}

func TestAContextEndsWithItsInstance(t *testing.T) {
	s := start(t, actor.Config{})
	ctxs := make(chan *actor.Context, 2)
	ref := spawn(t, s, "", func(c *actor.Context, fail bool) error {
		if ctxs <- c; fail {
			return errOwn
		}
		return nil
	})
	tell(t, s, ref, true, false)
	first, second := <-ctxs, <-ctxs
	<-first.Done()
	if second.Err() != nil {
		t.Fatal("the new instance's context has ended too")
	}
	derived, cancel := context.WithCancel(second)
	defer cancel()
	stop(t, s, ref)
	<-derived.Done()
	wantErr(t, second.Err(), context.Canceled)
}

// Who knows its name may tell it something at once: it must then have its place among its siblings already.
func TestAnActorMayFailOrStopWhileItIsSpawned(t *testing.T) {
	s := start(t, actor.Config{Node: "n", Supervision: actor.Supervision{Strategy: actor.OneForAll, Intensity: actor.Unlimited, Backoff: -1}})
	quit := make(chan struct{})
	var teller sync.WaitGroup
	teller.Go(func() {
		ref := actor.RefTo[int](actor.Named("x@n"))
		for i := 0; ; i++ {
			select {
			case <-quit:
				return
			default:
				_ = ref.Tell(s, i/100%2)
			}
		}
	})
	for range 20_000 {
		ref := spawn(t, s, "x", func(c *actor.Context, n int) error {
			if n == 0 {
				return errOwn
			}
			c.Stop()
			return nil
		}, actor.HWM(4), actor.OnFull(actor.Reject))
		if err := actor.Stop(context.Background(), s, ref.PID()); err != nil && !errors.Is(err, actor.ErrNoActor) {
			t.Fatal(err)
		}
	}
	close(quit)
	teller.Wait()
	for info := range actor.Tree(s) {
		t.Fatalf("%+v", info)
	}
}
