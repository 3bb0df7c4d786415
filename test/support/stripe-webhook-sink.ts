/** An endpoint for webhooks on a free port: it keeps the raw deliveries, and answers as the test says. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  signature: string;
  payload: string;
  id: string;
  type: string;
  objectId: string;
}

export interface WebhookSink {
  url: string;
  received: Received[];
  /** The status for the next deliveries; 200 by itself. */
  answerWith: (status: number) => void;
  typesOf: (objectId: string) => string[];
  close: () => Promise<void>;
}

export async function openWebhookSink(): Promise<WebhookSink> {
  const received: Received[] = [];
  let status = 200;
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const payload = Buffer.concat(chunks).toString('utf8');
      const event: { id: string; type: string; data: { object: { id: string } } } = JSON.parse(payload);
      const { id, type, data } = event;
      received.push({
        signature: String(request.headers['stripe-signature']),
        payload,
        id,
        type,
        objectId: data.object.id,
      });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/webhooks/stripe`,
    received,
    answerWith: next => {
      status = next;
    },
    typesOf: objectId => received.filter(one => one.objectId === objectId).map(one => one.type),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
