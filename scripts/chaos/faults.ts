// The fault table, in the order of its numbers; 16 (ten times the load) is a benchmark's business.
import type { Fault } from './fault.ts';
import { mongoAway } from './mongo-away.ts';
import { redisKilled } from './redis-killed.ts';
import { redisOlder } from './redis-older.ts';
import { replyLost } from './reply-lost.ts';
import { serverKilled } from './server-killed.ts';
import { stripeFails } from './stripe-fails.ts';
import { webhooksLate } from './webhooks-late.ts';
import { windowEnds } from './window-ends.ts';
import { workerKilled } from './worker-killed.ts';

export const faults: readonly Fault[] = [
  serverKilled,
  workerKilled,
  redisKilled,
  redisOlder,
  replyLost,
  mongoAway,
  stripeFails,
  webhooksLate,
  windowEnds,
];
