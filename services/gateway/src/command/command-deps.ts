import type { BanView, Broker, Control, Presence } from '@carillon/cluster';
import type { DecisionService } from '@carillon/policy';
import type { Clock, Log } from '@carillon/service-kit';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { ChannelHub } from '../fanout/hub-port.ts';
import type { Heartbeat } from '../session/heartbeat.ts';
import type { SessionTable } from '../session/session-table.ts';
import type { ConnectionMetrics } from '../connection/connection-metrics.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { CommandLimits } from './limit/command-limits.ts';

/** Everything commands may use. Each command takes the part it needs. */
export interface CommandDeps {
  readonly settings: () => GatewaySettings;
  readonly hub: ChannelHub;
  readonly broker: Broker;
  readonly presence: Presence;
  readonly control: Control;
  readonly bans: BanView;
  readonly limits: CommandLimits;
  readonly decisions: DecisionService;
  readonly tokens: TokenVerifier;
  readonly sessions: SessionTable;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ConnectionMetrics;
}
