import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { ApiOutputs } from '../../../index.ts';
import { formatDate } from '../../format/duration.ts';
import { formatMoney } from '../../format/money.ts';
import { formatCount, formatPercent } from '../../format/number.ts';
import { Ask } from '../parts/ask.tsx';
import { tell } from '../parts/notices.tsx';
import { Awaited, Empty, More } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import { couponState } from './coupon-form.rules.ts';

type Coupon = ApiOutputs['admin']['coupon']['list']['items'][number];

const tones = {
  counts: 'go',
  'not-yet': 'held',
  'used-up': 'quiet',
  expired: 'quiet',
  disabled: 'quiet',
} as const satisfies Record<ReturnType<typeof couponState>, string>;

export function CouponList() {
  const { api, may } = useStaff();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Coupon | null>(null);
  const text = words.coupons;
  const coupons = useInfiniteQuery({
    queryKey: ['coupons'],
    queryFn: ({ pageParam }) =>
      api.admin.coupon.list.query({ limit: 50, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: page => page.nextCursor,
  });
  const items = coupons.data?.pages.flatMap(page => page.items);
  return (
    <>
      <div className="page-head">
        <div>
          <h2 id="coupons-title">{text.title}</h2>
          <p className="hint lead">
            {text.hint} <Link href="/log?what=admin.coupon">{words.prices.couponLog}</Link>
          </p>
        </div>
        {may('admin') && (
          <Link href="/prices/coupons/new" className="button">
            {text.create}
          </Link>
        )}
      </div>
      {!items && <Awaited query={coupons} />}
      {items?.length === 0 && <Empty title={text.none} hint={text.noneHint} />}
      {items && items.length > 0 && (
        <div className="sheet">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{text.code}</th>
                <th scope="col">{text.discount}</th>
                <th scope="col" className="is-number">
                  {text.used}
                </th>
                <th scope="col">{text.span}</th>
                <th scope="col">{text.state}</th>
                {may('operator') && (
                  <th scope="col">
                    <span className="visually-hidden">{text.disable}</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {items.map(coupon => (
                <Row key={coupon.code} coupon={coupon} onDisable={() => setAsked(coupon)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More query={coupons} />
      {asked && (
        <Ask
          title={text.askDisable(asked.code)}
          text={text.askDisableText}
          act={text.disable}
          isDanger
          onClose={() => setAsked(null)}
          onAct={async () => {
            await api.admin.coupon.disable.mutate({ code: asked.code });
            tell(text.disabled(asked.code));
            await queries.invalidateQueries({ queryKey: ['coupons'] });
          }}
        />
      )}
    </>
  );
}

function Row({ coupon, onDisable }: { coupon: Coupon; onDisable: () => void }) {
  const { may } = useStaff();
  const text = words.coupons;
  const { code, usesMax, perBuyerMax, usedCount, startsAtMs, endsAtMs, disabledAtMs } = coupon;
  const state = couponState(coupon, Date.now());
  const times = [startsAtMs, endsAtMs].map(atMs => (atMs === undefined ? '' : formatDate(atMs)));
  // What has no limit is not counted.
  const isCounted = usesMax !== undefined || perBuyerMax !== undefined;
  return (
    <tr>
      <th scope="row">
        <code>{code}</code>
        <span className="under">{conditionsOf(coupon).join(' · ')}</span>
      </th>
      <td data-name={text.discount}>{sayDiscount(coupon)}</td>
      <td data-name={text.used} className="is-number figures">
        {!isCounted && words.none}
        {isCounted && (usesMax === undefined ? formatCount(usedCount) : text.usedOf(usedCount, usesMax))}
      </td>
      <td data-name={text.span}>{times.some(Boolean) ? times.join(' – ').trim() : text.always}</td>
      <td data-name={text.state}>
        <span className={`tag tag-${tones[state]}`}>{text.states[state]}</span>
      </td>
      {may('operator') && (
        <td className="is-number">
          {disabledAtMs === null && (
            <button
              type="button"
              className="button button-quiet"
              aria-label={`${text.disable}: ${code}`}
              onClick={onDisable}
            >
              {text.disable}
            </button>
          )}
        </td>
      )}
    </tr>
  );
}

function sayDiscount({ discount }: Coupon): string {
  switch (discount.kind) {
    case 'percent':
      return words.coupons.off(formatPercent(discount.percent));
    case 'fixed':
      return words.coupons.off(formatMoney(discount.amount));
    case 'buy-x-get-y':
      return words.coupons.buyGet(discount.buy, discount.get);
  }
}

/** What it asks for, and what it is for. */
function conditionsOf({ minSubtotal, skus, categories, dropIds, perBuyerMax }: Coupon): string[] {
  const text = words.coupons;
  return [
    minSubtotal ? text.from(formatMoney(minSubtotal)) : '',
    perBuyerMax === undefined ? '' : text.perBuyer(perBuyerMax),
    skus ? text.skusCount(skus.length) : '',
    categories?.join(', ') ?? '',
    dropIds ? text.dropsCount(dropIds.length) : '',
  ].filter(Boolean);
}
