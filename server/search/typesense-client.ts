// The official client, as every part of the engine uses it.
import { Client } from 'typesense';

export function createTypesenseClient(options: {
  url: string;
  apiKey: string;
  timeoutMs: number;
  retriesCount: number;
}): Client {
  const { protocol, hostname, port, pathname } = new URL(options.url);
  return new Client({
    nodes: [
      {
        host: hostname,
        port: Number(port || (protocol === 'https:' ? 443 : 80)),
        protocol: protocol.replace(':', ''),
        path: pathname.replace(/\/$/, ''),
      },
    ],
    apiKey: options.apiKey,
    connectionTimeoutSeconds: options.timeoutMs / 1000,
    numRetries: options.retriesCount,
    retryIntervalSeconds: 0.2,
    // The client would write to the console, past the engine's own log; what fails is thrown, and logged there.
    logLevel: 'silent',
  });
}
