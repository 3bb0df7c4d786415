// Our handler of WebSockets stands in the place of tRPC's own, so it must say exactly what that one says. The same
// traffic is sent to both, and what comes back is compared frame by frame, as text: which keys, in which order.
// (Between different calls the order is nobody's promise; within one id it is.)
import { describe, expect, it } from 'vitest';
import { startWorld, type Peer, type World } from '../support/socket-worlds.ts';

type Step =
  | { send: unknown }
  | { text: string }
  /** Waits until that many frames have come on this connection. */
  | { until: number }
  | { say: number }
  | { openGate: true }
  | { reconnect: string }
  | { closed: true };

interface Scenario {
  readonly query?: string;
  readonly steps: Step[];
}

const call = (id: unknown, method: string, path?: unknown, input?: unknown, more: object = {}) => ({
  id,
  method,
  ...(path === undefined ? {} : { params: { path, input, ...more } }),
});
const query = (id: unknown, path: string, input?: unknown) => call(id, 'query', path, input);
const subscribe = (id: unknown, path: string, input?: unknown, more: object = {}) =>
  call(id, 'subscription', path, input, more);
const stop = (id: unknown) => ({ id, method: 'subscription.stop' });
const crowd = (id: unknown, more: object = {}) => subscribe(id, 'room.crowd', { room: 'open' }, more);
const params = (token: string | null) => ({
  method: 'connectionParams',
  data: token === null ? null : { token },
});

const scenarios: Record<string, Scenario> = {
  'a query, a mutation, and one without input or output': {
    steps: [
      { send: query(1, 'echo', { text: 'ä "quoted" text' }) },
      { send: call(2, 'mutation', 'add', [1, 2]) },
      { send: query(3, 'nothing') },
      { send: { id: 4, method: 'query', params: { path: 'nothing' } } },
      { until: 4 },
    ],
  },
  'ids that are texts, zero, negative, broken numbers, and empty': {
    steps: [
      { send: query('a "b"', 'nothing') },
      { send: query('', 'nothing') },
      { send: query(0, 'nothing') },
      { send: query(-1, 'nothing') },
      { send: query(1.5, 'nothing') },
      { send: crowd('', {}) },
      { send: crowd('x"y') },
      { until: 9 },
      { say: 1 },
      { until: 11 },
    ],
  },
  'the version is answered where it was given': {
    steps: [
      { send: { ...query(1, 'nothing'), jsonrpc: '2.0' } },
      { send: { ...crowd(2), jsonrpc: '2.0' } },
      { send: { ...query(3, 'refuses'), jsonrpc: '2.0' } },
      { send: { ...query(4, 'nothing'), jsonrpc: '1.0' } },
      { until: 5 },
      { send: { ...stop(2), jsonrpc: '2.0' } },
      { until: 6 },
    ],
  },
  'unknown paths and wrong kinds': {
    steps: [
      { send: query(1, 'no.such') },
      { send: query(2, '') },
      { send: query(3, '__proto__') },
      { send: query(4, 'add', [1, 2]) },
      { send: call(5, 'mutation', 'echo', { text: '' }) },
      { send: subscribe(6, 'echo', { text: '' }) },
      { send: query(7, 'room.crowd', { room: 'open' }) },
      { send: subscribe(8, 'no.such') },
      { send: query(9, 'room') },
      { until: 9 },
    ],
  },
  'inputs that are refused': {
    steps: [
      { send: query(1, 'echo') },
      { send: query(2, 'echo', { text: 1 }) },
      { send: query(3, 'echo', { text: '', more: 1 }) },
      { send: query(4, 'echo', null) },
      { send: subscribe(5, 'room.crowd', {}) },
      { send: subscribe(6, 'count', { to: 'x' }) },
      { until: 6 },
    ],
  },
  'errors of procedures': {
    steps: [
      { send: query(1, 'refuses') },
      { send: query(2, 'breaks') },
      { send: query(3, 'unspeakable') },
      { send: query(4, 'streams') },
      { send: query(5, 'mine') },
      { send: subscribe(6, 'waits') },
      { send: subscribe(7, 'room.crowd', { room: 'none' }) },
      { send: subscribe(8, 'noStream') },
      { until: 8 },
    ],
  },
  'malformed messages': {
    steps: [
      { text: '{' },
      { text: '' },
      { text: 'null' },
      { text: '1' },
      { text: '"text"' },
      { text: '{}' },
      { send: { id: 1 } },
      { send: { id: 1, method: 'query' } },
      { send: { id: 1, method: 'query', params: null } },
      { send: { id: 1, method: 'query', params: { path: 1 } } },
      { send: { id: 1, method: 'delete', params: { path: 'echo' } } },
      { send: { id: {}, method: 'query', params: { path: 'nothing' } } },
      { send: { id: true, method: 'query', params: { path: 'nothing' } } },
      { send: { method: 'query', params: { path: 'nothing' } } },
      { send: subscribe(1, 'room.crowd', { room: 'open' }, { lastEventId: 1 }) },
      { send: query(2, 'nothing') },
      { until: 16 },
    ],
  },
  'an id of null': {
    steps: [
      { send: query(null, 'nothing') },
      { send: crowd(null) },
      { send: stop(null) },
      { send: { ...query(null, 'nothing'), jsonrpc: '2.0' } },
      { until: 4 },
    ],
  },
  'pings and pongs': {
    steps: [
      { text: 'PING' },
      { text: 'PONG' },
      { text: 'PING' },
      { text: 'ping' },
      { until: 3 },
      { send: crowd(1) },
      { until: 5 },
      { text: 'PING' },
      { until: 6 },
    ],
  },
  'a broadcast: the truth of now, then each change': {
    steps: [{ send: crowd(1) }, { until: 2 }, { say: 1 }, { until: 3 }, { say: 2 }, { until: 4 }],
  },
  'a broadcast is stopped, and started again under the same id': {
    steps: [
      { send: crowd(1) },
      { until: 2 },
      { send: stop(1) },
      { until: 3 },
      { say: 1 },
      { send: crowd(1) },
      { until: 5 },
      { say: 2 },
      { until: 6 },
    ],
  },
  'stopping what is not there, and twice': {
    steps: [
      { send: stop(7) },
      { send: stop('seven') },
      { send: crowd(1) },
      { until: 2 },
      { send: stop('1') },
      { send: stop(1) },
      { until: 3 },
      { send: stop(1) },
    ],
  },
  'an id that is taken': {
    steps: [
      { send: crowd(1) },
      { until: 2 },
      { send: crowd(1) },
      { send: subscribe(1, 'count', { to: 2 }) },
      { until: 4 },
      { say: 1 },
      { until: 5 },
      { send: query(1, 'nothing') },
      { send: crowd('1') },
      { until: 8 },
      { say: 2 },
      { until: 10 },
    ],
  },
  'an id that is taken while its subscription is being set up': {
    steps: [
      { send: [crowd(1), crowd(1), subscribe(2, 'count', { to: 1 }), crowd(2)] },
      { until: 7 },
      { say: 1 },
      { until: 8 },
    ],
  },
  'several subscriptions of one socket': {
    steps: [
      { send: crowd(1) },
      { send: crowd(2) },
      { send: crowd(3) },
      { until: 6 },
      { say: 1 },
      { until: 9 },
    ],
  },
  'lists of calls, of all kinds together': {
    steps: [
      { send: [query(1, 'nothing'), crowd(2), call(3, 'mutation', 'add', [2, 3]), query(4, 'refuses')] },
      { until: 5 },
      { say: 1 },
      { until: 6 },
      { send: [stop(2), crowd(5)] },
      { until: 9 },
      { send: [] },
      { send: [query(6, 'nothing')] },
      { until: 10 },
    ],
  },
  'a list with one that cannot be read': {
    steps: [
      { send: [query(1, 'nothing'), crowd(2), { id: 3 }] },
      { send: [[query(1, 'nothing')]] },
      { until: 2 },
    ],
  },
  'a list is stopped in its own message': {
    steps: [{ send: [crowd(1), stop(1)] }, { until: 1 }, { send: crowd(1) }, { until: 3 }],
  },
  'ids of events, and resuming from one': {
    steps: [
      { send: subscribe(1, 'resumed') },
      { until: 5 },
      { send: subscribe(2, 'resumed', undefined, { lastEventId: '1' }) },
      { until: 9 },
      { send: subscribe(3, 'resumed', {}, { lastEventId: '2' }) },
      { until: 12 },
      { send: subscribe(4, 'resumed', { lastEventId: '1' }, { lastEventId: '3' }) },
      { until: 14 },
      { send: subscribe(5, 'resumed', 'text', { lastEventId: '1' }) },
      { send: subscribe(6, 'resumed', [], { lastEventId: '1' }) },
      { send: crowd(7, { lastEventId: 'an id that is too long to be one' }) },
      { send: crowd(8, { lastEventId: '0:0' }) },
      { until: 19 },
    ],
  },
  'a connection that is lost comes back to the newest': {
    steps: [
      { send: crowd(1) },
      { until: 2 },
      { say: 1 },
      { until: 3 },
      { reconnect: '' },
      { say: 2 },
      { say: 3 },
      { send: crowd(2, { lastEventId: '0:1' }) },
      { until: 2 },
      { say: 4 },
      { until: 3 },
    ],
  },
  'subscriptions that end, fail in the middle, or cannot be written': {
    steps: [
      { send: subscribe(1, 'count', { to: 3 }) },
      { until: 5 },
      { send: subscribe(1, 'count', { to: 0 }) },
      { until: 7 },
      { send: subscribe(2, 'breaksOff') },
      { until: 11 },
      { send: subscribe(3, 'stumbles') },
      { until: 15 },
    ],
  },
  'subscriptions that are stopped while nothing comes': {
    query: '?connectionParams=1',
    steps: [
      { send: params('buyer') },
      { send: subscribe(1, 'waits') },
      { send: subscribe(2, 'stubborn') },
      { send: subscribe(3, 'leavesBadly') },
      { until: 5 },
      { send: stop(1) },
      { send: stop(2) },
      { send: stop(3) },
      { until: 8 },
    ],
  },
  'stopping before the start': {
    steps: [
      { send: subscribe(1, 'room.late') },
      { send: subscribe(2, 'room.quitter') },
      { send: subscribe(3, 'room.late') },
      { send: stop(1) },
      { send: stop(2) },
      { openGate: true },
      { until: 4 },
      { say: 1 },
      { until: 5 },
    ],
  },
  'parameters of the connection': {
    query: '?connectionParams=1',
    steps: [
      { send: params('buyer') },
      { send: query(1, 'whoami') },
      { send: [subscribe(2, 'waits'), crowd(3)] },
      { until: 5 },
    ],
  },
  'parameters that are empty': {
    query: '?connectionParams=1',
    steps: [{ send: params(null) }, { send: query(1, 'whoami') }, { until: 1 }],
  },
  'a context that cannot be made': {
    query: '?connectionParams=1',
    steps: [{ send: params('breaks') }, { closed: true }],
  },
};

async function perform(world: World, scenario: Scenario): Promise<string[][]> {
  const peers: Peer[] = [await world.connect(scenario.query)];
  let peer = peers[0];
  for (const step of scenario.steps) {
    if (!peer) throw new Error('there is no connection');
    if ('send' in step) peer.send(step.send);
    else if ('text' in step) peer.sendText(step.text);
    else if ('until' in step) await peer.until(step.until);
    else if ('say' in step) world.stage.say(step.say);
    else if ('openGate' in step) world.openGate();
    else if ('reconnect' in step) {
      peer.socket.close();
      await peer.closed;
      peer = await world.connect(step.reconnect);
      peers.push(peer);
    } else peer.frames.push(`closed ${await peer.closed}`);
  }
  // Whatever comes too much has come by the time that two questions more are answered.
  if (peer?.socket.readyState === 1) {
    for (const id of ['fence 1', 'fence 2']) {
      peer.send(query(id, 'nothing'));
      while (!peer.frames.some(frame => frame.includes(id))) await peer.until(peer.frames.length + 1);
    }
  }
  return peers.map(({ frames }) => frames);
}

/** The frames of each id in their order, with what is made up anew each time left out. */
function normalise(connections: string[][]): Record<string, string[]>[] {
  return connections.map(frames => {
    const byId: Record<string, string[]> = {};
    for (const frame of frames) {
      const id = /^\{"id":([^,]*)/.exec(frame)?.[1] ?? 'no id';
      const text = frame.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'an id of the log');
      (byId[id] ??= []).push(text);
    }
    return byId;
  });
}

async function framesOf(kind: 'ours' | 'stock', scenario: Scenario): Promise<string[][]> {
  const world = await startWorld(kind);
  try {
    return await perform(world, scenario);
  } finally {
    await world.close();
  }
}

describe('our handler of WebSockets', () => {
  it.each(Object.entries(scenarios))("answers as tRPC's own: %s", async (_name, scenario) => {
    const [ours, stock] = await Promise.all([framesOf('ours', scenario), framesOf('stock', scenario)]);
    expect(normalise(ours)).toEqual(normalise(stock));
  });
});

describe('the comparison', () => {
  const broadcast = {
    steps: [{ send: crowd(1) }, { until: 2 }, { say: 1 }, { until: 3 }, { send: stop(1) }],
  };
  const doctored: Record<string, (frames: string[]) => string[]> = {
    'a frame that is missing': frames => frames.toSpliced(1, 1),
    'a frame twice': frames => frames.toSpliced(1, 0, frames[1] ?? ''),
    'frames of one id in another order': frames => [frames[1] ?? '', frames[0] ?? '', ...frames.slice(2)],
    'an id of another type': frames => frames.map(frame => frame.replace('"id":1', '"id":"1"')),
    'an event without its id': frames => frames.map(frame => frame.replace(/,"id":"0:\d"\}\}$/, '}}')),
    'keys in another order': frames =>
      frames.map(frame =>
        frame.replace(/^\{("id":1),(.*)\}$/, (_, id: string, rest: string) => `{${rest},${id}}`),
      ),
  };
  it.each(Object.entries(doctored))('sees %s', async (_name, doctor) => {
    const frames = await framesOf('stock', { steps: [...broadcast.steps, { until: 4 }] });
    expect(normalise(frames.map(doctor))).not.toEqual(normalise(frames));
  });
});
