package actor

import "github.com/google/uuid"

// NodeUp tells that there is a link with another node now, for who is subscribed to PeerUp.
func (s *System) NodeUp(node string, incarnation uuid.UUID) {
	s.events.publish(PeerUp{node, incarnation})
}
