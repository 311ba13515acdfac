import { SingleFlight } from '@carillon/service-kit';
import { BrokerError, type Broker, type HistoryPage, type HistoryRequest } from '@carillon/cluster';
import type { ChannelEntry } from '../channel/channel-entry.ts';
import type { HubMetrics } from '../hub-metrics.ts';

/** A read and the generation of the channel's position in which it began. */
export interface StreamRead {
  readonly page: HistoryPage;
  readonly generation: number;
}

/** Reads of streams for subscribing. Identical ones in flight are merged: N clients that return together cost one. */
export class StreamReads {
  readonly #broker: Pick<Broker, 'history'>;
  readonly #metrics: HubMetrics;
  readonly #flights: SingleFlight<string, StreamRead> = new SingleFlight();

  constructor(broker: Pick<Broker, 'history'>, metrics: HubMetrics) {
    this.#broker = broker;
    this.#metrics = metrics;
  }

  /**
   * Reads after joining. A `since` of another epoch gives an empty page with the top, as it recovers nothing.
   * Rejects with what the broker rejects with.
   */
  read(entry: ChannelEntry, request: HistoryRequest): Promise<StreamRead> {
    let isFirst = false;
    const flight = this.#flights.run(flightKey(entry, request), () => {
      isFirst = true;
      return this.#read(entry, request);
    });
    if (!isFirst) this.#metrics.streamReadsShared.inc();
    return flight;
  }

  async #read(entry: ChannelEntry, request: HistoryRequest): Promise<StreamRead> {
    const { generation } = entry.position;
    this.#metrics.streamReads.inc();
    try {
      return { page: await this.#broker.history(entry.channel, request), generation };
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'unrecoverable') throw error;
    }
    const page = await this.#broker.history(entry.channel, { retention: request.retention, limit: 0 });
    return { page, generation };
  }
}

function flightKey(entry: ChannelEntry, { limit, since, reverse = false, retention }: HistoryRequest): string {
  const from = since === undefined ? '' : `${since.offset} ${since.epoch}`;
  const kept = `${retention.historySize} ${retention.historyTtlMs} ${retention.historyMetaTtlMs}`;
  return `${entry.id} ${entry.openingsEra} ${entry.position.generation} ${limit} ${reverse} ${kept} ${from}`;
}
