// A small page over the hooks, in StrictMode, with a client that does as the test says and counts what is asked of it.
import { createElement, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import {
  DoorbusterProvider,
  useCountdown,
  useDrop,
  useQueue,
  type HooksClient,
} from '../../../client/react/index.ts';

const asked: string[] = [];
const tell = new Map<string, (value: never) => void>();
Object.assign(window, { asked, tell: (name: string, value: never) => tell.get(name)?.(value) });

async function* told(name: string, signal: AbortSignal | undefined): AsyncGenerator<never, void, void> {
  asked.push(`watch ${name}`);
  const values: never[] = [];
  let wake = () => {};
  tell.set(name, value => {
    values.push(value);
    wake();
  });
  signal?.addEventListener('abort', () => {
    asked.push(`stop ${name}`);
    wake();
  });
  while (signal?.aborted !== true) {
    const value = values.shift();
    if (value !== undefined) yield value;
    else await new Promise<void>(resolve => (wake = resolve));
  }
}

const startedMs = Date.now();
const fake = {
  api: {
    queue: {
      join: {
        mutate: async ({ dropId }: { dropId: string }) => {
          asked.push(`join ${dropId}`);
          return { kind: 'joined', ticket: 'ticket-1', lane: 'general', arrival: 41 };
        },
      },
      leave: { mutate: async () => void asked.push('leave') },
    },
  },
  // The server's clock: an hour ahead of this machine's.
  clock: { now: () => Date.now() + 3_600_000, uncertaintyMs: () => 1 },
  watchDrop: (dropId: string, signal?: AbortSignal) => told(`drop ${dropId}`, signal),
  watchTicket: (ticket: string, signal?: AbortSignal) => told(ticket, signal),
  watchOrder: (orderId: string, signal?: AbortSignal) => told(orderId, signal),
  placeOf: ({ arrival }: { arrival: number }, { serving }: { serving: number }) => ({
    rank: arrival,
    ahead: arrival - serving,
  }),
};
const isClient = (value: unknown): value is HooksClient => typeof value === 'object';

function State({ name }: { name: string }) {
  const { drop } = useDrop('d');
  return createElement('p', { id: name }, drop?.state ?? 'unknown');
}

function Page() {
  const [isShown, setShown] = useState(true);
  const queue = useQueue({ dropId: 'd', onTicket: kept => asked.push(`keep ${kept?.ticket}`) });
  const seconds = useCountdown(startedMs + 3_600_000 + 2_000);
  return createElement(
    'main',
    null,
    isShown && createElement(State, { name: 'one' }),
    isShown && createElement(State, { name: 'two' }),
    createElement('p', { id: 'seconds' }, seconds ?? 'none'),
    createElement('p', { id: 'queue' }, `${queue.status?.kind ?? 'none'} ${queue.place?.ahead ?? '-'}`),
    createElement('button', { id: 'join', onClick: () => queue.join() }, 'join'),
    createElement('button', { id: 'hide', onClick: () => setShown(shown => !shown) }, 'hide'),
  );
}

const place = document.getElementById('page');
if (!place || !isClient(fake)) throw new Error('there is no place for the page');
createRoot(place).render(
  createElement(StrictMode, null, createElement(DoorbusterProvider, { client: fake }, createElement(Page))),
);
