// The lean HTTP adapter against tRPC's own: the same bytes go to both, and what comes back must be the same, status,
// headers and body. A case also says who is to answer it, so that "the same" cannot come from handing everything on.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LeanHttpOptions } from '../../server/transport/lean-http.ts';
import {
  maxBatchSize,
  maxBodySize,
  responseMeta,
  startTwin,
  thrownCodes,
  type Twin,
} from '../support/lean-http-twins.ts';
import { sendRaw } from '../support/raw-http.ts';

interface Case {
  readonly what: string;
  readonly by: 'lean' | 'stock';
  readonly bytes: string | Buffer;
}

type Extra = { by?: 'lean' | 'stock'; headers?: Record<string, string>; method?: string };

function get(what: string, address: string, { by = 'lean', headers = {}, method = 'GET' }: Extra = {}): Case {
  const lines = Object.entries({ host: 'localhost:1', ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return {
    what,
    by,
    bytes: `${method} ${address} HTTP/1.1\r\n${lines.join('\r\n')}\r\nconnection: close\r\n\r\n`,
  };
}

function post(what: string, address: string, body: string | Buffer, extra: Extra = {}): Case {
  const length = String(Buffer.byteLength(body));
  const headers = { 'content-type': 'application/json', 'content-length': length, ...extra.headers };
  const head = get(what, address, { method: 'POST', ...extra, headers });
  return { ...head, bytes: Buffer.concat([Buffer.from(String(head.bytes), 'latin1'), Buffer.from(body)]) };
}

const input = (value: unknown) => `input=${encodeURIComponent(JSON.stringify(value))}`;
const json = JSON.stringify;
const wish = (name: string, by: 'lean' | 'stock' = 'lean'): Extra => ({ by, headers: { 'x-wish': name } });
const stock: Extra = { by: 'stock' };
const pastBound = 'x'.repeat(maxBodySize);

const cases: Case[] = [
  // Good calls.
  get('a query', '/trpc/plain.get'),
  get('a query with input', `/trpc/point.get?${input({ x: 1, name: 'a' })}`),
  get('a query with a JSON content type', '/trpc/plain.get', {
    headers: { 'content-type': 'application/json' },
  }),
  get('a query with unknown parameters', `/trpc/echo.get?a=1&${input('x')}&b=%zz&c`),
  get('a query with two inputs', `/trpc/echo.get?${input(1)}&${input(2)}`),
  get('a query with an empty input', '/trpc/echo.get?input='),
  get('an input with plus signs', '/trpc/echo.get?input=%22a+b%2Bc%22'),
  get('an input of null', '/trpc/echo.get?input=null'),
  get('an input with unescaped quotes', '/trpc/echo.get?input={"a":"b"}'),
  get('an empty query string', '/trpc/plain.get?'),
  get('a null', '/trpc/plain.nil'),
  get('unicode going out', '/trpc/plain.unicode'),
  get('unicode coming in', `/trpc/echo.get?${input('ü ☃ 𝄞')}`),
  get('batch=0', '/trpc/plain.get?batch=0'),
  get('an Accept', '/trpc/plain.get', { headers: { accept: 'text/html, */*' } }),
  get('a Host in IPv6', '/trpc/plain.get', { headers: { host: '[::1]:80' } }),
  post('a mutation', '/trpc/point.post', json({ x: 2 })),
  post('a mutation with a charset', '/trpc/point.post', json({ x: 2 }), {
    headers: { 'content-type': 'Application/JSON ; charset=utf-8' },
  }),
  post('a mutation with an empty body', '/trpc/point.optional', ''),
  post('a mutation that needs a body and has none', '/trpc/point.post', ''),
  post('a mutation with a body it does not want', '/trpc/plain.post', '{"a":1}'),
  post('a mutation with a broken body it does not want', '/trpc/plain.post', '{"a":'),
  post('a body of null', '/trpc/echo.post', 'null'),
  post('a body of blanks', '/trpc/echo.post', '  '),
  post('a body of false', '/trpc/echo.post', 'false'),
  post('a body that is a list', '/trpc/echo.post', '[1,2]'),
  post('a body that is a text', '/trpc/echo.post', '"text"'),
  post('a body with a byte order mark', '/trpc/echo.post', '\ufeff{"a":1}'),
  post('a body that is not UTF-8', '/trpc/echo.post', Buffer.from([0x22, 0xff, 0xc3, 0x28, 0x22])),
  post('__proto__ in a body', '/trpc/echo.post', '{"__proto__":{"a":1},"b":2}'),
  post('unicode in a body', '/trpc/echo.post', json('ü ☃ 𝄞')),
  post('nothing as the answer', '/trpc/plain.nothing', '{}'),
  post('input in the address of a mutation', `/trpc/echo.post?${input(1)}`, '2'),
  post('a body at the bound', '/trpc/echo.post', `"${'x'.repeat(maxBodySize - 2)}"`),
  {
    what: 'a chunked body',
    by: 'lean',
    bytes:
      'POST /trpc/point.post HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n' +
      'connection: close\r\n\r\n3\r\n{"x\r\n4\r\n":3}\r\n0\r\n\r\n',
  },
  { what: 'HTTP/1.0 without a Host', by: 'lean', bytes: 'GET /trpc/plain.get HTTP/1.0\r\n\r\n' },
  // Inputs that are refused, and procedures that fail.
  get('broken JSON in the address', '/trpc/echo.get?input={'),
  get('an input that fails its schema', `/trpc/point.get?${input({ x: -1, y: 1 })}`),
  get('an input that is missing', '/trpc/point.get'),
  get('a query that fails', '/trpc/fail.query'),
  post('broken JSON', '/trpc/point.post', '{"x":'),
  post('JSON and more', '/trpc/point.post', '{"x":1} {"x":2}'),
  post('several faults in one input', '/trpc/point.post', json({ x: 'a', name: 'n'.repeat(21), z: 1 })),
  post('a body past the bound', '/trpc/echo.post', `"${pastBound}"`),
  post('a body past the bound that nobody wants', '/trpc/plain.post', `"${pastBound}"`),
  ...thrownCodes.map(code => post(`an error of code ${code}`, '/trpc/fail.code', json(code))),
  post('an error with a cause', '/trpc/fail.caused', '{}'),
  post('an error that is not tRPC’s', '/trpc/fail.plain', '{}'),
  post('a text that is thrown', '/trpc/fail.text', '{}'),
  post('an output that fails its schema', '/trpc/fail.output', '{}'),
  post('an output that JSON cannot carry', '/trpc/fail.unsendable', '{}'),
  post('a stream for an answer', '/trpc/fail.stream', '{}'),
  get('a promise within an answer', '/trpc/fail.promises'),
  // Batches.
  get('a batch of queries', `/trpc/plain.get,echo.get?batch=1&${input({ 1: 'b' })}`),
  get('a batch of queries without input', '/trpc/plain.get,echo.get?batch=1'),
  get('a batch of one', '/trpc/plain.get?batch=1'),
  get(
    'a batch with partial failure',
    `/trpc/plain.get,fail.query,point.get?batch=1&${input({ 2: { x: -1 } })}`,
  ),
  get('a batch that fails as one', '/trpc/fail.query,fail.query?batch=1'),
  get('a batch with a promise within', '/trpc/plain.get,fail.promises?batch=1'),
  get('a batch with batch=1 last', `/trpc/echo.get,echo.get?${input({ 0: 1, 1: 2 })}&batch=1`),
  post('a batch of mutations', '/trpc/plain.index,point.post,plain.index?batch=1', json({ 1: { x: 1 } })),
  post('the same mutation twice', '/trpc/point.post,point.post?batch=1', json({ 0: { x: 1 }, 1: { x: 2 } })),
  post(
    'a batch of the largest size',
    `/trpc/${Array(maxBatchSize).fill('plain.index').join()}?batch=1`,
    '{}',
  ),
  post(
    'a batch with failures of three kinds',
    '/trpc/fail.plain,fail.code,plain.post?batch=1',
    json({ 1: 'CONFLICT' }),
  ),
  post('a batch with broken JSON', '/trpc/point.post,plain.post?batch=1', '{"0":'),
  post('a batch with a list for a body', '/trpc/point.post,plain.post?batch=1', '[{"x":1}]'),
  post('a batch with a null for a body', '/trpc/point.post,plain.post?batch=1', 'null'),
  post('a batch with an empty body', '/trpc/point.post,point.optional?batch=1', ''),
  post('a batch with foreign keys', '/trpc/point.post?batch=1', json({ 0: { x: 1 }, 7: 1, a: 2 })),
  post('a batch past the body’s bound', '/trpc/point.post,plain.post?batch=1', `"${pastBound}"`),
  post('a batch with an answer that JSON cannot carry', '/trpc/plain.post,fail.unsendable?batch=1', '{}'),
  // Procedures of several steps.
  ...[0, 1, 2, 3, 4].flatMap(x => [
    post(`steps, of kind ${x}`, '/trpc/steps.post', json({ x, z: 1 }), wish('w')),
    post(`steps that end in an error, of kind ${x}`, '/trpc/steps.fail', json({ x, y: 6 })),
  ]),
  post('a second step that refuses the input', '/trpc/steps.post', json({ x: 0, y: 'no number' })),
  post('steps in a batch', '/trpc/steps.post,steps.post?batch=1', json({ 0: { x: 0 }, 1: { x: 1 } })),
  post('an error formatted by its procedure', '/trpc/steps.formatted', '{}'),
  // The schemas at a procedure's end.
  ...[{ a: 'x' }, { a: 'x', b: 5 }, { a: 'x', b: 6 }, { a: 'refused' }, { a: 1, b: 'x' }, {}].map(body =>
    post(`schemas that need a promise: ${json(body)}`, '/trpc/ends.post', json(body)),
  ),
  ...[[1, 2], [1, 2, 3], ['a'], null].map(body =>
    post(`an output that is a list: ${json(body)}`, '/trpc/ends.list', json(body)),
  ),
  ...['throws', 'refused', 'good', 'throws again'].map(c =>
    post(`a schema that throws: ${c}`, '/trpc/ends.throwing', json({ c: c.split(' ', 1)[0] })),
  ),
  // What surrounds the calls.
  ...['context-throws', 'context-fails', 'formatter-throws'].flatMap(each => [
    post(`${each}, one call`, '/trpc/fail.plain', '{}', wish(each)),
    post(`${each}, a batch`, '/trpc/fail.plain,plain.post?batch=1', '{}', wish(each)),
  ]),
  ...['status-202', 'status-204', 'status-999', 'record', 'lists', 'headers', 'throws', 'empty'].flatMap(
    each => [
      get(`responseMeta: ${each}`, '/trpc/plain.get', wish(each)),
      get(
        `responseMeta: ${each}, a batch with partial failure`,
        '/trpc/plain.get,fail.query?batch=1',
        wish(each),
      ),
    ],
  ),
  post(
    'responseMeta: record, and an answer that JSON cannot carry',
    '/trpc/fail.unsendable',
    '{}',
    wish('record'),
  ),
  // What is tRPC's own adapter's to answer.
  get('an unknown procedure', '/trpc/no.such', stock),
  get('a batch with an unknown procedure', '/trpc/plain.get,no.such?batch=1', stock),
  get('a prototype’s name', '/trpc/constructor', stock),
  get('__proto__ for a procedure', '/trpc/__proto__', stock),
  get('no procedure', '/trpc/', stock),
  get('a comma without a batch', '/trpc/plain.get,plain.get', stock),
  get('a batch with an empty name', '/trpc/plain.get,,plain.get?batch=1', stock),
  get('a mutation by GET', '/trpc/plain.post', stock),
  post('a query by POST', '/trpc/plain.get', '{}', stock),
  post('a batch of mixed types', '/trpc/plain.get,plain.post?batch=1', '{}', stock),
  post(
    'a batch too large',
    `/trpc/${Array(maxBatchSize + 1)
      .fill('plain.post')
      .join()}?batch=1`,
    '{}',
    stock,
  ),
  get('HEAD', '/trpc/plain.get', { by: 'stock', method: 'HEAD' }),
  get('OPTIONS', '/trpc/plain.get', { by: 'stock', method: 'OPTIONS' }),
  post('PUT', '/trpc/plain.post', '{}', { by: 'stock', method: 'PUT' }),
  get('DELETE', '/trpc/plain.get', { by: 'stock', method: 'DELETE' }),
  get('TRACE', '/trpc/plain.get', { by: 'stock', method: 'TRACE' }),
  post('another content type', '/trpc/plain.post', '{}', {
    by: 'stock',
    headers: { 'content-type': 'text/plain' },
  }),
  get('a mutation without a content type', '/trpc/plain.post', {
    by: 'stock',
    method: 'POST',
    headers: { 'content-length': '0' },
  }),
  get('a query with another content type', '/trpc/plain.get', {
    by: 'stock',
    headers: { 'content-type': 'text/plain' },
  }),
  get('a broken escape', '/trpc/plain%', stock),
  get('a good escape', '/trpc/plain%2Eget', stock),
  get('an encoded comma', '/trpc/plain.get%2Cplain.get?batch=1', stock),
  get('a slash behind', '/trpc/plain.get/', stock),
  get('two slashes', '/trpc//plain.get', stock),
  get('a way up', '/trpc/x/../plain.get', stock),
  get('a fragment', '/trpc/echo.get?input=1#2', stock),
  get('trpc-accept: application/jsonl, one call', '/trpc/plain.get', {
    by: 'stock',
    headers: { 'trpc-accept': 'application/jsonl' },
  }),
  get('accept: application/jsonl', '/trpc/plain.get', {
    by: 'stock',
    headers: { accept: 'application/jsonl' },
  }),
  get('connectionParams', `/trpc/plain.get?connectionParams=${encodeURIComponent('{"a":"b"}')}`, stock),
  get('broken connectionParams', '/trpc/plain.get?connectionParams={', stock),
  get('a batched subscription', '/trpc/ticks?batch=1', stock),
  get('a Host that is none', '/trpc/plain.get', { by: 'stock', headers: { host: '[::' } }),
  get('a Host with a port that is none', '/trpc/plain.get', { by: 'stock', headers: { host: 'a:99999' } }),
  get('a Host with a user', '/trpc/plain.get', { by: 'stock', headers: { host: 'a:b@c' } }),
];

let twins: { stock: Twin; lean: Twin };

beforeAll(async () => {
  twins = { stock: await startTwin('stock'), lean: await startTwin('lean') };
});
afterAll(async () => {
  await Promise.all([twins.stock.close(), twins.lean.close()]);
});

describe('the lean HTTP adapter answers as tRPC’s own does', () => {
  it.each(cases.map(each => [each.what, each] as const))('%s', async (_what, { bytes, by }) => {
    const before = { stock: twins.stock.contextsCount(), lean: twins.lean.contextsCount() };
    const handedOn = twins.lean.stockCount();
    const [expected, found] = await Promise.all([
      sendRaw(twins.stock.port, bytes),
      sendRaw(twins.lean.port, bytes),
    ]);
    expect(found).toEqual(expected);
    expect(expected.status).toBeGreaterThanOrEqual(200);
    expect(found.body).not.toContain('"stack"');
    expect(twins.lean.contextsCount() - before.lean).toBe(twins.stock.contextsCount() - before.stock);
    expect(twins.lean.stockCount() - handedOn).toBe(by === 'stock' ? 1 : 0);
  });

  it('over a table of more than sixty, most of them its own', () => {
    expect(cases.length).toBeGreaterThan(60);
    expect(cases.filter(({ by }) => by === 'lean').length).toBeGreaterThan(60);
    expect(new Set(cases.map(({ what }) => what)).size).toBe(cases.length);
  });

  it('again and again on one connection', async () => {
    const one = (body: string) =>
      `POST /trpc/echo.post HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`;
    const bytes = [
      `${one('"a"')}\r\n"a"`,
      `${one('"b"')}\r\n"b"`,
      `${one('"c"')}connection: close\r\n\r\n"c"`,
    ].join('');
    const { body } = await sendRaw(twins.lean.port, bytes);
    expect(body.match(/"input":"[abc]"/g)).toEqual(['"input":"a"', '"input":"b"', '"input":"c"']);
  });
});

describe('an answer that may be kept', () => {
  const kept = { 'cache-control': 'public, max-age=0' };
  const named = (headers: Record<string, string>) => get('', '/trpc/plain.get', { headers });
  let tagging: { lean: Twin; stock: Twin };
  beforeAll(async () => {
    const change = { responseMeta: () => ({ headers: kept }) };
    tagging = {
      stock: await startTwin('stock', change),
      lean: await startTwin('lean', { ...change, onTagged: () => undefined }),
    };
  });
  afterAll(async () => {
    await Promise.all([tagging.stock.close(), tagging.lean.close()]);
  });

  it('is that of tRPC’s own adapter, with a tag', async () => {
    const [expected, found] = await Promise.all([
      sendRaw(tagging.stock.port, named({}).bytes),
      sendRaw(tagging.lean.port, named({}).bytes),
    ]);
    const tags = found.headers.filter(([name]) => name === 'etag');
    expect(tags).toHaveLength(1);
    expect({ ...found, headers: found.headers.filter(([name]) => name !== 'etag') }).toEqual(expected);
    const again = await sendRaw(tagging.lean.port, named({ 'if-none-match': tags[0]?.[1] ?? '' }).bytes);
    expect(again).toMatchObject({ status: 304, body: '' });
    expect(again.headers).toEqual(found.headers.filter(([name]) => name !== 'content-type'));
  });

  it('has none where nobody may keep it, or where it is an error', async () => {
    for (const [path, lean] of [
      ['/trpc/plain.get', twins.lean],
      ['/trpc/fail.query', tagging.lean],
    ] as const) {
      const { headers, status } = await sendRaw(
        lean.port,
        get('', path, { headers: { 'if-none-match': '*' } }).bytes,
      );
      expect(headers.map(([name]) => name)).not.toContain('etag');
      expect(status).not.toBe(304);
    }
  });
});

describe('a client that leaves', () => {
  it('in the middle of its body leaves nothing behind, and the next one is served', async () => {
    const { lean } = twins;
    const before = lean.contextsCount();
    const head =
      'POST /trpc/echo.post HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n';
    for (let count = 1; count <= 20; count += 1) {
      const socket = connect(lean.port, '127.0.0.1', () => socket.write(`${head}{"half`));
      await expect.poll(() => lean.contextsCount() - before, { interval: 2 }).toBe(count);
      socket.resetAndDestroy();
    }
    const answer = await sendRaw(lean.port, post('', '/trpc/echo.post', '1').bytes);
    expect([answer.status, answer.body]).toEqual([200, '{"result":{"data":{"input":1}}}']);
  });
});

describe('the comparison bites', () => {
  it.each([
    ['a header too many', { always: { 'x-more': '1' } }, 'a query'],
    ['a bound that is ten bytes off', { maxBodySize: maxBodySize + 10 }, 'a body past the bound'],
    [
      'a batch of mixed results that says 200',
      { responseMeta: asked => ({ ...responseMeta(asked), status: 200 }) },
      'a batch with partial failure',
    ],
    ['an answer without what responseMeta adds', { responseMeta: () => ({}) }, 'a mutation'],
    [
      'a context that is not the request’s',
      { createContext: () => Promise.resolve({ wish: 'other' }) },
      'context-throws, one call',
    ],
  ] satisfies [string, Partial<LeanHttpOptions>, string][])('%s is found', async (_what, change, where) => {
    const planted = await startTwin('lean', change);
    try {
      const bytes = cases.find(({ what }) => what === where)?.bytes ?? '';
      const [expected, found] = await Promise.all([
        sendRaw(twins.stock.port, bytes),
        sendRaw(planted.port, bytes),
      ]);
      expect(found).not.toEqual(expected);
    } finally {
      await planted.close();
    }
  });
});
