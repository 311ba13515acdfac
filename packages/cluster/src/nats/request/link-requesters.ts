import { OperationalError, type Clock } from '@carillon/service-kit';
import type { NatsLink } from '../nats-connection.ts';
import { Requester } from './requester.ts';

/** Requests over both connections of a link: what changes something on `main`, reads where they hold up nobody. */
export interface LinkRequesters {
  readonly writes: Requester;
  readonly reads: Requester;
}

/** Closed by the caller, both; the link stays open. During an outage either refuses at once. */
export function createLinkRequesters(link: NatsLink, clock: Clock): LinkRequesters {
  const writes = new Requester({
    connection: link.main,
    publish: (subject, payload, options) => link.publish(subject, payload, options),
    clock,
  });
  const reads = new Requester({
    connection: link.reads,
    publish: (subject, payload, options) => {
      const reason = link.unavailable();
      if (reason !== undefined) throw new OperationalError('nats_unavailable', reason);
      link.reads.publish(subject, payload, options);
    },
    clock,
  });
  return { writes, reads };
}
