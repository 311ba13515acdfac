import { durationFamily, type CounterCell, type Metrics, type ObserverCell } from '@carillon/service-kit';
import type { Broker, LiveReceiver } from './broker.ts';
import type { Control, ControlHandler } from './control.ts';
import type { CreateEngine } from './engine.ts';
import type { Presence } from './presence.ts';

export interface MeteredEngineOptions {
  readonly createEngine: CreateEngine;
  readonly metrics: Metrics;
  readonly clock: { now(): number; monotonic(): number };
}

/**
 * An engine whose ports are counted on the way in and out (channels-and-config §4.2): the names are those of upstream behind
 * our prefix. What an engine is made of does not show.
 */
export function meteredEngine({ createEngine, metrics, clock }: MeteredEngineOptions): CreateEngine {
  const cells = createCells(metrics);
  return async ({ receiver, handler }) => {
    const engine = await createEngine({
      receiver: meteredReceiver(receiver, cells, clock),
      handler: meteredHandler(handler, cells),
    });
    return {
      broker: meteredBroker(engine.broker, cells),
      presence: meteredPresence(engine.presence, cells),
      control: meteredControl(engine.control, cells, clock),
      bans: engine.bans,
      userStatus: engine.userStatus,
      unavailable: () => engine.unavailable(),
      close: () => engine.close(),
    };
  };
}

type MessageType = 'publication' | 'join' | 'leave' | 'control';
type Action =
  | 'broker_subscribe'
  | 'broker_unsubscribe'
  | 'history'
  | 'history_remove'
  | 'add_presence'
  | 'remove_presence'
  | 'presence'
  | 'presence_stats'
  | 'survey'
  | 'notify';

interface Cells {
  readonly sent: Readonly<Record<MessageType, CounterCell>>;
  readonly received: Readonly<Record<MessageType, CounterCell>>;
  readonly action: (action: Action) => CounterCell;
  readonly suppressed: Readonly<Record<'idempotency' | 'version', CounterCell>>;
  readonly broadcast: Readonly<Record<Exclude<MessageType, 'control'>, ObserverCell>>;
  readonly lag: ObserverCell;
  readonly survey: (kind: string) => ObserverCell;
}

function createCells(metrics: Metrics): Cells {
  const byType = (name: string, help: string): Record<MessageType, CounterCell> => {
    const family = metrics.counter({ name, help, labels: ['type'] });
    const of = (type: MessageType): CounterCell => family.with({ type });
    return { publication: of('publication'), join: of('join'), leave: of('leave'), control: of('control') };
  };
  const actions = metrics.counter({ name: 'node_action_count', help: 'Internal operations', labels: ['action'] });
  const suppressed = metrics.counter({
    name: 'broker_publish_suppressed_count',
    help: 'Publishes that were repeated or outdated and published nothing',
    labels: ['reason'],
  });
  const broadcasts = metrics.histogram({
    name: 'node_broadcast_duration_seconds',
    help: 'Handing one message to its local subscribers',
    labels: ['type'],
  });
  const lags = metrics.histogram({
    name: 'node_pub_sub_lag_seconds',
    help: 'From a publish to its arrival at the node, by the clocks of both',
    labels: ['type'],
  });
  const surveys = durationFamily(metrics, {
    name: 'node_survey_duration_seconds',
    help: 'Asking all nodes',
    labels: ['op'],
  });
  return {
    sent: byType('node_messages_sent_count', 'Messages handed to the broker'),
    received: byType('node_messages_received_count', 'Messages from the broker'),
    action: (action) => actions.with({ action }),
    suppressed: {
      idempotency: suppressed.with({ reason: 'idempotency' }),
      version: suppressed.with({ reason: 'version' }),
    },
    broadcast: {
      publication: broadcasts.with({ type: 'publication' }),
      join: broadcasts.with({ type: 'join' }),
      leave: broadcasts.with({ type: 'leave' }),
    },
    lag: lags.with({ type: 'publication' }),
    survey: (op) => surveys.with({ op }),
  };
}

function meteredBroker(broker: Broker, { sent, action, suppressed }: Cells): Broker {
  const [join, part] = [action('broker_subscribe'), action('broker_unsubscribe')];
  const [history, removal] = [action('history'), action('history_remove')];
  return {
    publish(request) {
      sent.publication.inc();
      const published = broker.publish(request);
      // The others cannot be suppressed: they save the promise.
      if (request.idempotencyKey === undefined && request.version === undefined) return published;
      return published.then((result) => {
        if (result.suppressed !== undefined) suppressed[result.suppressed].inc();
        return result;
      });
    },
    publishJoin(channel, info) {
      sent.join.inc();
      return broker.publishJoin(channel, info);
    },
    publishLeave(channel, info) {
      sent.leave.inc();
      return broker.publishLeave(channel, info);
    },
    join(channel, options) {
      join.inc();
      return broker.join(channel, options);
    },
    part(channel) {
      part.inc();
      return broker.part(channel);
    },
    history(channel, request) {
      history.inc();
      return broker.history(channel, request);
    },
    removeHistory(channel, retention) {
      removal.inc();
      return broker.removeHistory(channel, retention);
    },
    unavailable: () => broker.unavailable(),
    close: () => broker.close(),
  };
}

function meteredReceiver(receiver: LiveReceiver, cells: Cells, clock: MeteredEngineOptions['clock']): LiveReceiver {
  const { received, broadcast, lag } = cells;
  return {
    onPublication(channel, live) {
      received.publication.inc();
      // Clocks of other machines may be ahead of ours.
      if (live.publishedAt > 0) lag.observe(Math.max(0, clock.now() - live.publishedAt) / 1000);
      const startedAt = clock.monotonic();
      receiver.onPublication(channel, live);
      broadcast.publication.observe((clock.monotonic() - startedAt) / 1000);
    },
    onJoin(channel, info) {
      received.join.inc();
      const startedAt = clock.monotonic();
      receiver.onJoin(channel, info);
      broadcast.join.observe((clock.monotonic() - startedAt) / 1000);
    },
    onLeave(channel, info) {
      received.leave.inc();
      const startedAt = clock.monotonic();
      receiver.onLeave(channel, info);
      broadcast.leave.observe((clock.monotonic() - startedAt) / 1000);
    },
    onPositionLost: (channel) => receiver.onPositionLost(channel),
  };
}

function meteredPresence(presence: Presence, { action }: Cells): Presence {
  const [added, removed] = [action('add_presence'), action('remove_presence')];
  const [members, stats] = [action('presence'), action('presence_stats')];
  return {
    add(channel, info) {
      added.inc();
      return presence.add(channel, info);
    },
    replace(channel, info) {
      added.inc();
      return presence.replace(channel, info);
    },
    remove(channel, client) {
      removed.inc();
      return presence.remove(channel, client);
    },
    members(channel) {
      members.inc();
      return presence.members(channel);
    },
    stats(channel) {
      stats.inc();
      return presence.stats(channel);
    },
    close: () => presence.close(),
  };
}

function meteredControl(control: Control, cells: Cells, clock: MeteredEngineOptions['clock']): Control {
  const [survey, notify] = [cells.action('survey'), cells.action('notify')];
  return {
    nodeId: control.nodeId,
    nodes: () => control.nodes(),
    broadcast(command) {
      cells.sent.control.inc();
      return control.broadcast(command);
    },
    command(command, deadlineMs) {
      cells.sent.control.inc();
      return control.command(command, deadlineMs);
    },
    async survey(question, deadlineMs) {
      survey.inc();
      const startedAt = clock.monotonic();
      try {
        return await control.survey(question, deadlineMs);
      } finally {
        cells.survey(question.kind).observe((clock.monotonic() - startedAt) / 1000);
      }
    },
    emulate(request, deadlineMs) {
      notify.inc();
      return control.emulate(request, deadlineMs);
    },
    report: (stats) => control.report(stats),
    unavailable: () => control.unavailable(),
    close: () => control.close(),
  };
}

function meteredHandler(handler: ControlHandler, { received }: Cells): ControlHandler {
  return {
    apply(command) {
      received.control.inc();
      return handler.apply(command);
    },
    answer: (question) => handler.answer(question),
    emulate: (session, frame) => handler.emulate(session, frame),
  };
}
