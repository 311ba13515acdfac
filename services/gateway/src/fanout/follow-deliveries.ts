import type { LivePublication } from '@carillon/cluster';
import type { Log } from '@carillon/service-kit';
import type { Tracing } from '@carillon/service-kit/tracing';

/** Told before a publication is handed to the subscribers of a channel; what it returns is called when that is done. */
export type FollowDelivery = (channel: string, live: LivePublication, subscribers: number) => (() => void) | undefined;

export interface FollowDeliveriesDeps {
  /** Undefined: no traces. */
  readonly tracing: Tracing | undefined;
  readonly log: Log;
}

/**
 * Deliveries in the traces of their publications, and in the log of level debug. Undefined where neither is wanted: the
 * check for it is all that the hot loop pays then.
 */
export function createDeliveryFollower({ tracing, log }: FollowDeliveriesDeps): FollowDelivery | undefined {
  const debug = log.isEnabled('debug') ? log.debug : undefined;
  if (tracing === undefined && debug === undefined) return undefined;
  return (channel, { publication, epoch, trace }, subscribers) => {
    const { offset = 0 } = publication;
    debug?.('a publication is delivered', { channel, offset, epoch, subscribers, trace_id: trace?.traceId });
    if (tracing === undefined || trace === undefined) return undefined;
    const span = tracing.startSpan('deliver', {
      kind: 'consumer',
      parent: trace,
      attributes: {
        'messaging.system': 'carillon',
        'messaging.destination.name': channel,
        'carillon.offset': offset,
        'carillon.epoch': epoch,
        'carillon.subscribers': subscribers,
        'carillon.node': tracing.node,
      },
    });
    return () => span.end();
  };
}
