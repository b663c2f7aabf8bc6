package mailbox

import (
	"errors"
	"fmt"
	"net"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// machine is the machine's network with what cfg says about it.
func (cfg *Config) machine() zmtp.Machine {
	return zmtp.Machine{
		KeepAlive:  cfg.KeepAlive,
		Backlog:    cfg.Backlog,
		SendBuffer: cfg.SendBuffer,
		RecvBuffer: cfg.RecvBuffer,
		FileMode:   cfg.FileMode,
	}
}

// network is what the socket listens and dials on.
func (cfg *Config) network() Network {
	if cfg.Network != nil {
		return cfg.Network
	}
	return cfg.machine()
}

// checkNetwork refuses what can't be honoured in the heartbeat and in what concerns the machine's network.
func (cfg *Config) checkNetwork() error {
	err := zmtp.CheckHeartbeat(cfg.Heartbeat, cfg.HeartbeatTimeout, cfg.HeartbeatTTL)
	if err == nil {
		err = cfg.machine().Check()
	}
	if err == nil && cfg.Network != nil && (cfg.KeepAlive != (net.KeepAliveConfig{}) || cfg.Backlog != 0 || cfg.SendBuffer != 0 || cfg.RecvBuffer != 0 || cfg.FileMode != 0) {
		err = errors.New("KeepAlive, Backlog, SendBuffer, RecvBuffer and FileMode are for the machine's network, and Network replaces that")
	}
	if err != nil {
		return fmt.Errorf("mailbox: Config: %w", err)
	}
	return nil
}
