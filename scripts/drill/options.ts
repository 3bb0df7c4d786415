// What `npm run drill` was asked for.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { SetupError } from '../setup/setup-error.js';
import { SERVERS_COUNT_MAX } from '../supervisor/ports.ts';
import { ADMIN_KEY_FILE } from '../supervisor/secrets.ts';
import { arrivalShapes, type ArrivalShape } from './arrivals.ts';

export const usage = `npm run drill -- --buyers N --stock S [options]

Rehearses a drop: N buyers, each with a session and a socket of their own, go the whole way from the queue to a
captured payment; then the books are counted on the server and held against the gates.

  --buyers N         how many buyers come (2000)
  --stock S          how many units there are (300)
  --arrival SHAPE    spike: all at the opening; flat: evenly; lobby: before it, at random (spike)
  --url URL          rehearse on a running installation; without it, one is started for the drill and removed after it
  --admin-key KEY    its admin key (ADMIN_KEY, else .data/admin-key)
  --servers N        without --url: so many server processes behind one port (1)
  --kill-server      kill one of them with SIGKILL when a quarter of the stock is paid for
  --told-within MS   everyone who waits must be told of sold-out within this (1000)
  --json FILE        write the result as JSON
  --html FILE        write the result as a page
  --skus K           spread the stock over K SKUs (1)
  --falling SECONDS  a drop whose price falls by a twentieth this often, down to the half; who pays another price than
                     that of the instant of their hold is found
  --abandon SHARE    this share of the buyers, 0 to 1, walks off: with a place, a pass, a unit, or in payment (0)
  --decline SHARE    the first card of this share is declined; they pay with another (0)
  --3ds SHARE        the bank of this share asks for 3-D Secure, which they pass (0)
  --webhooks faulty  Stripe's webhooks come twice, out of order, late, and one in five never (sound)
                     --3ds and --webhooks faulty: at the Stripe stand-in alone
  --within SECONDS   break off journeys that have not ended by then (900)
  --help             this

Exit status: 0 if every gate held, 1 if one did not, 2 if the drill could not be run.`;

export interface CommandLine {
  readonly buyersCount: number;
  readonly stockCount: number;
  readonly shape: ArrivalShape;
  readonly skusCount: number;
  /** Null: the price stays. */
  readonly fallsEveryMs: number | null;
  readonly abandonShare: number;
  readonly declineShare: number;
  readonly challengeShare: number;
  readonly webhooksFaulty: boolean;
  readonly withinMs: number;
  readonly toldWithinMs: number;
  readonly serversCount: number;
  readonly withKill: boolean;
  /** Null: an installation of the drill's own. */
  readonly target: { readonly url: string; readonly adminKey: string } | null;
  readonly jsonFile: string | null;
  readonly htmlFile: string | null;
}

export function readCommandLine(argv: string[], env: NodeJS.ProcessEnv): CommandLine | 'help' {
  const { values } = parse(argv);
  if (values.help) return 'help';
  const shape = arrivalShapes.find(each => each === values.arrival);
  if (!shape) throw new SetupError(`--arrival takes ${arrivalShapes.join(', ')}, not "${values.arrival}".`);
  const abandonShare = share('--abandon', values.abandon);
  const declineShare = share('--decline', values.decline);
  const challengeShare = share('--3ds', values['3ds']);
  if (abandonShare + declineShare + challengeShare > 1) {
    throw new SetupError('--abandon, --decline and --3ds are shares of the same buyers: together at most 1.');
  }
  const { webhooks } = values;
  if (webhooks !== 'sound' && webhooks !== 'faulty') {
    throw new SetupError(`--webhooks takes sound or faulty, not "${webhooks}".`);
  }
  const serversCount = wholeNumber('--servers', values.servers, SERVERS_COUNT_MAX);
  const withKill = values['kill-server'];
  if (values.url !== undefined && (serversCount > 1 || withKill)) {
    throw new SetupError(
      '--servers and --kill-server are for an installation of the drill’s own, without --url.',
    );
  }
  if (withKill && serversCount < 2) {
    throw new SetupError('--kill-server needs --servers 2 or more: somebody must go on.');
  }
  return {
    buyersCount: wholeNumber('--buyers', values.buyers, 100_000),
    stockCount: wholeNumber('--stock', values.stock, 200_000),
    shape,
    skusCount: wholeNumber('--skus', values.skus, 50),
    fallsEveryMs:
      values.falling === undefined ? null : wholeNumber('--falling', values.falling, 3_600) * 1_000,
    abandonShare,
    declineShare,
    challengeShare,
    webhooksFaulty: webhooks === 'faulty',
    withinMs: wholeNumber('--within', values.within, 86_400) * 1_000,
    toldWithinMs: wholeNumber('--told-within', values['told-within'], 600_000),
    serversCount,
    withKill,
    target: values.url === undefined ? null : targetOf(values.url, values['admin-key'], env),
    jsonFile: values.json ?? null,
    htmlFile: values.html ?? null,
  };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        buyers: { type: 'string', default: '2000' },
        stock: { type: 'string', default: '300' },
        arrival: { type: 'string', default: 'spike' },
        url: { type: 'string' },
        'admin-key': { type: 'string' },
        json: { type: 'string' },
        html: { type: 'string' },
        skus: { type: 'string', default: '1' },
        falling: { type: 'string' },
        abandon: { type: 'string', default: '0' },
        decline: { type: 'string', default: '0' },
        '3ds': { type: 'string', default: '0' },
        webhooks: { type: 'string', default: 'sound' },
        servers: { type: 'string', default: '1' },
        'kill-server': { type: 'boolean', default: false },
        'told-within': { type: 'string', default: '1000' },
        within: { type: 'string', default: '900' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

function targetOf(url: string, givenKey: string | undefined, env: NodeJS.ProcessEnv) {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new SetupError(`--url takes an address like http://localhost:3000, not "${url}".`);
  }
  const adminKey = givenKey ?? env['ADMIN_KEY'] ?? keptKey(env);
  if (!adminKey)
    throw new SetupError('With --url, the admin key of that installation is needed: --admin-key KEY.');
  return { url: url.replace(/\/+$/, ''), adminKey };
}

/** The key that `npm start` made here, if it did. */
function keptKey(env: NodeJS.ProcessEnv): string | null {
  try {
    return readFileSync(path.join(env['DATA_DIR'] || '.data', ADMIN_KEY_FILE), 'utf8').trim();
  } catch {
    return null;
  }
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 1 || value > max) {
    throw new SetupError(`${name} takes a whole number from 1 to ${max}, not "${text}".`);
  }
  return value;
}

function share(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new SetupError(`${name} takes a share from 0 to 1, not "${text}".`);
  }
  return value;
}
