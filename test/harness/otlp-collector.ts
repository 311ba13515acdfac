import { createServer } from 'node:http';

import { freePort } from './free-port.ts';
import { Fields } from './protobuf-fields.ts';

/** A span as a collector got it. */
export interface CollectedSpan {
  readonly name: string;
  /** Hex. */
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the first of its trace. */
  readonly parentId: string;
  /** 2: server, 3: client, 4: producer, 5: consumer. */
  readonly kind: number;
  readonly durationMs: number;
  /** 0: unset, 2: error. */
  readonly status: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Of the process. */
  readonly resource: Readonly<Record<string, string | number>>;
}

export interface OtlpCollector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  stop(): Promise<void>;
}

/** Takes traces by OTLP over HTTP, Protobuf decoded by field numbers (opentelemetry/proto/collector/trace/v1). */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: CollectedSpan[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isTraces = request.method === 'POST' && request.url === '/v1/traces';
      if (isTraces && request.headers['content-type'] === 'application/x-protobuf') {
        spans.push(...spansOf(Buffer.concat(chunks)));
        response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
      } else response.writeHead(404).end();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function spansOf(body: Uint8Array): CollectedSpan[] {
  return new Fields(body).messages(1).flatMap((resourceSpans) => {
    const resource = attributesOf(resourceSpans.message(1).messages(1));
    return resourceSpans
      .messages(2)
      .flatMap((scopeSpans) => scopeSpans.messages(2))
      .map((span) => spanOf(span, resource));
  });
}

function spanOf(span: Fields, resource: CollectedSpan['resource']): CollectedSpan {
  const hex = (number: number): string => Buffer.from(span.bytes(number)).toString('hex');
  return {
    traceId: hex(1),
    spanId: hex(2),
    parentId: hex(4),
    name: span.text(5),
    kind: span.number(6),
    durationMs: Number(span.fixed64(8) - span.fixed64(7)) / 1e6,
    attributes: attributesOf(span.messages(9)),
    status: span.message(15).number(3),
    resource,
  };
}

function attributesOf(entries: readonly Fields[]): Record<string, string | number> {
  return Object.fromEntries(
    entries.map((entry) => {
      const value = entry.message(2);
      return [entry.text(1), value.has(3) ? value.number(3) : value.text(1)];
    }),
  );
}
