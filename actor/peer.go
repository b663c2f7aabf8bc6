package actor

import "github.com/google/uuid"

// NodeUp tells that there is a link with another node now, for who is subscribed to PeerUp.
func (s *System) NodeUp(node string, incarnation uuid.UUID) {
	s.events.publish(PeerUp{node, incarnation})
}

// NodeDown tells that an incarnation of a node has ended, or is taken for unreachable.
func (s *System) NodeDown(node string, incarnation uuid.UUID) {
	s.events.publish(PeerDown{node, incarnation})
}
