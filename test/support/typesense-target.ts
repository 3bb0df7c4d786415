/**
 * The search server that a contract suite talks to: a real one where TYPESENSE_CONTRACT_URL and
 * TYPESENSE_CONTRACT_KEY are set, otherwise an embedded one made for the suite.
 */
import { randomUUID } from 'node:crypto';
import { Client } from 'typesense';
import { startEmbeddedTypesense } from './embedded-typesense.ts';

export const isRealTypesense =
  process.env['TYPESENSE_CONTRACT_URL'] !== undefined && process.env['TYPESENSE_CONTRACT_KEY'] !== undefined;

export type TypesenseTarget = {
  readonly url: string;
  readonly apiKey: string;
  readonly client: Client;
  readonly clientFor: (apiKey: string) => Client;
  /** A name that no other test uses. Collections and aliases under such names are removed by `close`. */
  readonly name: (what: string) => string;
  readonly close: () => Promise<void>;
};

export async function openTypesense(): Promise<TypesenseTarget> {
  const embedded = isRealTypesense ? undefined : await startEmbeddedTypesense();
  const url = new URL(embedded?.url ?? process.env['TYPESENSE_CONTRACT_URL'] ?? '');
  const apiKey = embedded?.apiKey ?? process.env['TYPESENSE_CONTRACT_KEY'] ?? '';
  const prefix = `contract_${randomUUID().slice(0, 8)}_`;
  const clientFor = (key: string): Client =>
    new Client({
      nodes: [
        {
          host: url.hostname,
          port: Number(url.port !== '' ? url.port : url.protocol === 'https:' ? 443 : 80),
          protocol: url.protocol.slice(0, -1),
        },
      ],
      apiKey: key,
      connectionTimeoutSeconds: 10,
      numRetries: 0,
      logLevel: 'silent',
    });
  const client = clientFor(apiKey);
  return {
    url: url.href.replace(/\/$/, ''),
    apiKey,
    client,
    clientFor,
    name: what => prefix + what,
    close: async () => {
      if (embedded !== undefined) {
        await embedded.stop();
        return;
      }
      const { aliases } = await client.aliases().retrieve();
      for (const { name } of aliases) if (name.startsWith(prefix)) await client.aliases(name).delete();
      for (const { name } of await client.collections().retrieve()) {
        if (name.startsWith(prefix)) await client.collections(name).delete();
      }
    },
  };
}
