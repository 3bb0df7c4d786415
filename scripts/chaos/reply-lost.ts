// Fault 6: a connection is cut after the script has run and before its reply arrives: between engine and Redis, and
// between buyer and engine.
import { check, type Fault } from './fault.ts';
import { openSale, shoppersOf, type Shopper } from './sale.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const eachCount = 8;

export const replyLost: Fault = {
  number: 6,
  title: 'the reply to a hold is lost',
  needs: null,
  async run(world) {
    const { installation } = world;
    const sale = await openSale(world, eachCount * 3);
    const shoppers = await shoppersOf(sale, eachCount * 2);
    const front = await startTcpProxy(Number(new URL(installation.url).port));
    let cuts = 0;
    /** Cut once: what is sent again goes through. */
    const loseReply = (proxy: TcpProxy, shopper: Shopper) => {
      let isLost = false;
      proxy.watch = text => {
        if (isLost || !text.includes(shopper.holdId)) return 'pass';
        isLost = true;
        cuts += 1;
        return 'cut-after';
      };
    };
    const kinds: string[] = [];
    try {
      for (const [index, shopper] of shoppers.entries()) {
        const atEngine = index < eachCount;
        await shopper.quote();
        loseReply(atEngine ? world.proxy('redis') : front, shopper);
        const url = atEngine ? installation.url : `http://127.0.0.1:${front.port}`;
        const outcome = await shopper.hold({ url });
        kinds.push(outcome.kind === 'held' && outcome.holdId === shopper.holdId ? 'held' : outcome.kind);
      }
    } finally {
      world.proxy('redis').watch = null;
      await front.close();
    }
    const stock = await sale.stock();
    const figures = { cuts, held: stock.held, available: stock.available };
    const checks = [
      check.is('connections cut', cuts, shoppers.length),
      check.is('answers of the same hold', kinds.filter(kind => kind === 'held').length, shoppers.length),
      check.is('units taken', stock.held, shoppers.length),
      check.is('units left', stock.available, eachCount),
    ];
    // Units that two holds have never come to rest: what is wrong already is told at once.
    if (checks.some(({ ok }) => !ok)) return { figures, checks };
    await Promise.all(shoppers.map(shopper => shopper.buy()));
    const report = await sale.atRest();
    await sale.close();
    return {
      figures: { ...figures, sold: report.sold },
      checks: [...checks, check.is('sold', report.sold, shoppers.length)],
    };
  },
};
