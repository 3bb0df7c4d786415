// Fault 10: the disk is full. The data folder lies on a small file system of its own, which only root can make.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { check, Skipped, type Fault } from './fault.ts';
import { address, openSale, rawCall, shoppersOf, startPaying, takeUnit } from './sale.ts';
import { waitUntil } from './wait-until.ts';

const sizeMiB = 64;
const boundMs = 30_000;

export const diskFull: Fault = {
  number: 10,
  title: 'the disk is full',
  needs: { prepare: mountSmall },
  async run(world) {
    const { installation, signal } = world;
    const { url } = installation;
    const sale = await openSale(world, 8);
    const [owner, paying, fresh, ...rest] = await shoppersOf(sale, 6);
    if (!owner || !paying || !fresh) throw new Error('there are shoppers');
    await owner.buy();
    await takeUnit(paying);
    const quote = await fresh.quote();
    const filler = path.join(installation.dataDir, 'filler');
    fillDisk(filler);

    // Redis notices with its next write to the log, within a second.
    const hold = { token: fresh.token, input: { holdId: fresh.holdId, pass: fresh.pass, quote } };
    await waitUntil(
      'Redis and MongoDB refuse to write',
      async () => {
        // A log that had room for a little more takes it until the last byte.
        fillDisk(filler);
        const email = 'buyer@example.com';
        const input = { holdId: paying.holdId, email, address };
        const pay = await rawCall(url, 'checkout.pay', { token: paying.token, input });
        return pay.status === 503 && (await rawCall(url, 'hold.place', hold)).status === 503;
      },
      { signal, withinMs: 30_000, everyMs: 200 },
    );
    const refusal = await rawCall(url, 'hold.place', hold);
    const reads = await Promise.all([
      owner.api().drop.get.query({ dropId: sale.dropId }),
      owner.api().order.get.query({ orderId: owner.orderId }),
      owner.api().catalog.list.query({}),
    ]);
    rmSync(filler);
    const recoveryMs = await fresh.untilHeld('a unit is held again', { withinMs: 2 * boundMs });
    for (const shopper of [paying, fresh, ...rest]) await shopper.buy();

    // What is on the disk is whole: read anew by processes that know nothing else.
    await sale.atRest();
    for (const name of ['redis', 'mongo'] as const) {
      installation.kill(name);
      await installation.untilReady(name);
    }
    await world.untilReady();
    const last = await sale.shopper();
    await waitUntil('the sale goes on', async () => (await startPaying(last)) !== null, {
      signal,
      withinMs: 60_000,
    });
    await last.confirm();
    await last.untilOrder(['paid']);
    const report = await sale.atRest();
    await sale.close();
    return {
      figures: { recoveryMs, boundMs, reads: reads.length, sold: report.sold, oversold: report.oversold },
      checks: [
        check.is(
          'a hold',
          `${refusal.status}${refusal.retryAfter ? ' with Retry-After' : ''}`,
          '503 with Retry-After',
        ),
        check.atMost('ms until a unit was held again', recoveryMs, boundMs),
        check.is('sold', report.sold, 7),
        check.is('captured less the books', (report.capturedMinor ?? 0) - report.expectedMinor, 0),
        check.is('findings of its report', report.findings.map(({ what }) => what).join('; '), ''),
      ],
    };
  },
};

function mountSmall(dataDir: string): () => void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Skipped('needs root, on Linux, to make a small file system');
  }
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=0700`, 'doorbuster', dataDir], {
      stdio: 'pipe',
    });
  } catch (error) {
    throw new Skipped(
      `may not mount here: ${error instanceof Error ? error.message.split('\n').at(-2) : ''}`,
    );
  }
  return () => {
    execFileSync('umount', ['-l', dataDir], { stdio: 'pipe' });
  };
}

function fillDisk(file: string): void {
  const handle = openSync(file, 'a');
  try {
    for (const size of [1 << 20, 1 << 12, 1]) {
      const piece = Buffer.alloc(size);
      try {
        for (;;) writeSync(handle, piece);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      }
    }
  } finally {
    closeSync(handle);
  }
}
