// Fault 3: Redis is killed in the middle of a drop, and stays away for a moment.
import { check, type Fault } from './fault.ts';
import { takeUnit, openSale, startPaying, rawCall, shoppersOf } from './sale.ts';

const boundMs = 10_000;

export const redisKilled: Fault = {
  number: 3,
  title: 'Redis is killed',
  needs: null,
  async run(world) {
    const { installation, proxy } = world;
    const sale = await openSale(world, 12);
    const shoppers = await shoppersOf(sale, 12);
    const [unpaid, paying, fresh] = [shoppers.slice(0, 4), shoppers.slice(4, 8), shoppers.slice(8)] as const;
    await Promise.all(unpaid.map(shopper => takeUnit(shopper)));
    await Promise.all(paying.map(shopper => startPaying(shopper)));
    const [first] = fresh;
    if (!first) throw new Error('there are fresh shoppers');
    const quotes = await Promise.all(fresh.map(shopper => shopper.quote()));

    proxy('redis').cut();
    installation.kill('redis');
    const { token, pass, holdId } = first;
    const input = { holdId, pass, quote: quotes[0] ?? '' };
    const nonce = Buffer.alloc(16, 7).toString('base64url');
    const refusals = await Promise.all([
      rawCall(installation.url, 'hold.place', { token, input }),
      rawCall(installation.url, 'queue.join', { token, input: { dropId: sale.dropId, nonce } }),
    ]);
    await installation.untilReady('redis');
    proxy('redis').restore();
    const recoveryMs = await first.untilHeld('a unit is held again', { withinMs: 60_000 });
    const kept = await Promise.all([...unpaid, ...paying].map(async shopper => (await shopper.hold()).kind));
    await Promise.all(shoppers.map(shopper => shopper.buy()));
    const report = await sale.atRest();
    await sale.close();
    return {
      figures: { recoveryMs, boundMs, holds: kept.length, sold: report.sold, oversold: report.oversold },
      checks: [
        check.is(
          'refused meanwhile',
          refusals
            .map(({ status, retryAfter }) => `${status}${retryAfter ? ' with Retry-After' : ''}`)
            .join(),
          '503 with Retry-After,503 with Retry-After',
        ),
        check.atMost('ms until a unit was held again', recoveryMs, boundMs),
        check.is('holds that were kept', kept.filter(kind => kind === 'held' || kind === 'paying').length, 8),
        check.is('sold', report.sold, 12),
        check.is('oversold', report.oversold, 0),
        check.is('captured less the books', (report.capturedMinor ?? 0) - report.expectedMinor, 0),
      ],
    };
  },
};
