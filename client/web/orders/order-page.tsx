import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link } from 'wouter';
import { failureOf } from '../../index.ts';
import { useOrder } from '../../react/index.ts';
import { PriceLines } from '../checkout/price-lines.tsx';
import { SerialList } from '../checkout/serial-list.tsx';
import { useEngine } from '../engine/engine-context.ts';
import { explainFailure } from '../engine/explain.ts';
import type { Order } from '../engine/types.ts';
import { formatDate } from '../format/duration.ts';
import { formatMoney } from '../format/money.ts';
import { Notice } from '../frame/notice-page.tsx';
import { Page } from '../frame/page.tsx';
import { PageLoading } from '../frame/page-loading.tsx';
import { useDropView } from '../live/use-drop-views.ts';
import { texts } from '../texts/texts.ts';
import { StatusBadge } from './status-badge.tsx';

/** One order, live: how it stands, the numbers of what was bought, and what it cost. */
export function OrderPage({ orderId }: { orderId: string }) {
  const { api } = useEngine();
  const { data, error, refetch } = useQuery({
    queryKey: ['order', orderId],
    async queryFn({ signal }) {
      try {
        return await api.order.get.query({ orderId }, { signal });
      } catch (failure) {
        const { code } = failureOf(failure);
        if (code === 'NOT_FOUND' || code === 'BAD_REQUEST') return null;
        throw failure;
      }
    },
    staleTime: 0,
  });
  const { order: live } = useOrder(data ? orderId : null);
  const status = live?.status;
  useEffect(() => {
    // The status comes by itself; what it changed in the order is asked for.
    if (status !== undefined) void refetch();
  }, [status, refetch]);
  if (data === null) {
    return (
      <Notice title={texts.order.missing} text={texts.order.missingHint}>
        <Link href="/orders" className="button">
          {texts.order.mine}
        </Link>
      </Notice>
    );
  }
  if (data) return <Found order={{ ...data, ...live, serials: live?.serials ?? data.serials }} />;
  return error ? <Notice title={texts.order.title} text={explainFailure(error)} /> : <PageLoading />;
}

function Found({ order }: { order: Order }) {
  const { orderId, dropId, status, reason, serials, lines, totals, refundedAmount } = order;
  const view = useDropView(dropId);
  const drop = view.kind === 'found' ? view.drop : null;
  const isOurs = status === 'paid' || status === 'fulfilled';
  return (
    <Page title={texts.order.title} className="order-page">
      <header>
        <h1>{texts.order.title}</h1>
        <StatusBadge status={status} />
      </header>
      <p className={`notice ${isOurs ? 'notice-go' : ''}`} role="status">
        {texts.order.status[status]}
        {reason && ` ${texts.order.reason[reason]}`}
      </p>
      {status === 'pending' && (
        <Link href={`/drops/${dropId}`} className="button">
          {texts.order.goOn}
        </Link>
      )}
      {serials.length > 0 && (
        <section aria-labelledby="order-serials">
          <h2 id="order-serials">{texts.order.serials}</h2>
          {/* The serials' totals are the drop's; until it is known, their titles are the order's own. */}
          <SerialList
            serials={serials}
            items={drop?.items ?? lines.map(line => ({ ...line, total: line.quantity }))}
          />
        </section>
      )}
      <section aria-labelledby="order-totals" className="order-totals">
        <h2 id="order-totals">{texts.order.totals}</h2>
        <PriceLines lines={lines} total={totals.total} quoted={totals} />
        {refundedAmount.amount > 0 && (
          <p className="order-refunded figures">
            <span>{texts.order.refunded}</span>
            <span>−{formatMoney(refundedAmount)}</span>
          </p>
        )}
      </section>
      <footer className="hint">
        <p>{texts.order.placed(formatDate(order.createdAtMs))}</p>
        {order.paidAtMs !== undefined && <p>{texts.order.paidAt(formatDate(order.paidAtMs))}</p>}
        <p className="order-number">{texts.order.number(orderId)}</p>
        <Link href={`/drops/${dropId}`}>{drop?.title ?? texts.order.toDrop}</Link>
      </footer>
    </Page>
  );
}
