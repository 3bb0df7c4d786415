// What the pictures are taken of: the demo catalog, drops in each state, and people in them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { createDoorbuster, type Doorbuster } from '../../client/index.ts';
import { productInputSchema } from '../../server/catalog/product.ts';
import { sendCrowd } from '../crowd.ts';

export interface Stage {
  readonly url: string;
  readonly lobbyId: string;
  readonly openId: string;
  readonly queueId: string;
  /** Sold in part, with people in line and at the till. */
  readonly boardId: string;
  /** Paid, and given back in part. */
  readonly orderId: string;
  /** A buyer whom the shop has put into a group. */
  readonly memberId: string;
  /** Makes something happen in the drop of the board. */
  readonly stir: () => Promise<void>;
}

export type Shoot = (name: string) => Promise<void>;

const items = [
  { sku: 'AURORA-AMBER', total: 40 },
  { sku: 'AURORA-SLATE', total: 40 },
  { sku: 'AURORA-BONE', total: 40 },
];
const usd = (amount: number) => ({ amount, currency: 'USD' });
const fallingSku = 'AURORA-SLATE';
const falling = { step: usd(500), everyMs: 600_000, floor: usd(6_400) };
/** What a quantity makes cheaper. */
const withTier = (product: z.output<typeof productInputSchema>) => ({
  ...product,
  variants: product.variants.map(variant =>
    variant.sku === 'AURORA-AMBER' ? { ...variant, tiers: [{ from: 2, price: usd(7_900) }] } : variant,
  ),
});
const soldCount = 30;
const stirredCount = 6;

export async function setStage(url: string, admin: Doorbuster): Promise<Stage> {
  const text = readFileSync(path.join(import.meta.dirname, '..', 'demo', 'catalog.json'), 'utf8');
  const products = z.array(productInputSchema).parse(JSON.parse(text));
  await Promise.all(products.map(product => admin.api.admin.product.upsert.mutate(withTier(product))));

  const createDrop = async (options: {
    title: string;
    opensInMs: number;
    activeMax?: number;
    falls?: boolean;
  }) => {
    const { title, opensInMs, activeMax = 100, falls = false } = options;
    const { dropId } = await admin.api.admin.drop.create.mutate({
      title,
      mode: opensInMs > 0 ? 'shuffle' : 'fifo',
      opensAtMs: Date.now() + opensInMs,
      items: items.map(item => (falls && item.sku === fallingSku ? { ...item, falling } : item)),
      perBuyerMax: 2,
      ratePerSec: 50,
      activeMax,
    });
    return dropId;
  };
  const joinOnly = async (dropId: string, count: number) => {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const buyer = createDoorbuster({ url });
        for await (const step of buyer.joinAndWait({ dropId })) if (step.kind === 'joined') break;
        await buyer.close();
      }),
    );
  };
  const send = (dropId: string, buyersCount: number) =>
    sendCrowd({ url, dropId, buyersCount, say: () => undefined });

  const boardId = await createDrop({ title: 'Winter release', opensInMs: 0 });
  const lobbyId = await createDrop({ title: 'The Aurora drop', opensInMs: 3_600_000 });
  const openId = await createDrop({ title: 'Night market', opensInMs: 0, falls: true });
  const queueId = await createDrop({ title: 'First light', opensInMs: 0, activeMax: 1 });
  await Promise.all([joinOnly(lobbyId, 24), joinOnly(queueId, 12), send(boardId, soldCount)]);
  const [order] = (await admin.api.admin.order.list.query({ dropId: boardId })).items;
  if (!order) throw new Error('nobody of the crowd has bought anything');
  await admin.api.admin.order.refund.mutate({
    refundId: crypto.randomUUID(),
    orderId: order.orderId,
    amount: Math.round(order.totals.total.amount / 4),
    restock: false,
  });
  await setTerms(admin, order.buyerId);
  await admin.api.admin.drop.throttle.mutate({ dropId: boardId, ratePerSec: 2 });
  await admin.api.admin.drop.message.mutate({ dropId: boardId, text: 'Amber is nearly gone.' });
  return {
    url,
    lobbyId,
    openId,
    queueId,
    boardId,
    orderId: order.orderId,
    memberId: order.buyerId,
    stir: () => send(boardId, stirredCount),
  };
}

/** Groups, coupons, and rates, of which one has not been renewed for too long. */
async function setTerms({ api }: Doorbuster, memberId: string): Promise<void> {
  const { coupon, group, rate } = api.admin;
  const amber = { sku: 'AURORA-AMBER', price: { amount: 9_900, currency: 'EUR' } };
  await group.put.mutate({ group: 'members', title: 'Members', percent: 5, prices: [amber] });
  await group.put.mutate({ group: 'staff', percent: 12.5 });
  await group.putBuyer.mutate({ buyerId: memberId, groups: ['members'] });
  const spring = { code: 'SPRING', usesMax: 500, perBuyerMax: 1, minSubtotal: usd(5_000) };
  await coupon.create.mutate({ ...spring, discount: { kind: 'fixed', amount: usd(1_000) } });
  await coupon.create.mutate({ code: 'THREE-FOR-TWO', discount: { kind: 'buy-x-get-y', buy: 2, get: 1 } });
  await coupon.create.mutate({ code: 'EARLY', discount: { kind: 'percent', percent: 7.5 } });
  await coupon.disable.mutate({ code: 'EARLY' });
  await rate.put.mutate({ from: 'EUR', to: 'USD', rate: '1.0845' });
  await rate.put.mutate({ from: 'EUR', to: 'JPY', rate: '162.4', atMs: Date.now() - 60 * 86_400_000 });
}
