// The fault table, in the order of its numbers; 16 (ten times the load) is a benchmark's business.
import { backupRestored } from './backup-restored.ts';
import { clockWrong } from './clock-wrong.ts';
import { diskFull } from './disk-full.ts';
import { failover } from './failover.ts';
import type { Fault } from './fault.ts';
import { memoryFull } from './memory-full.ts';
import { mongoAway } from './mongo-away.ts';
import { redisKilled } from './redis-killed.ts';
import { redisOlder } from './redis-older.ts';
import { replyLost } from './reply-lost.ts';
import { searchAndJobsGone } from './search-and-jobs-gone.ts';
import { serverEnds } from './server-ends.ts';
import { serverKilled } from './server-killed.ts';
import { serverStopped } from './server-stopped.ts';
import { socketsAndRestarts } from './sockets-and-restarts.ts';
import { stripeFails } from './stripe-fails.ts';
import { webhooksLate } from './webhooks-late.ts';
import { windowEnds } from './window-ends.ts';
import { workerKilled } from './worker-killed.ts';

export const faults: readonly Fault[] = [
  serverKilled,
  workerKilled,
  redisKilled,
  redisOlder,
  failover,
  replyLost,
  memoryFull,
  mongoAway,
  clockWrong,
  diskFull,
  stripeFails,
  webhooksLate,
  windowEnds,
  socketsAndRestarts,
  serverStopped,
  searchAndJobsGone,
  backupRestored,
  serverEnds,
];
