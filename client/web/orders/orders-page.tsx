import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { useEngine } from '../engine/engine-context.ts';
import { keptSession } from '../engine/kept.ts';
import type { Order } from '../engine/types.ts';
import { formatDate } from '../format/duration.ts';
import { formatMoney } from '../format/money.ts';
import { Notice } from '../frame/notice-page.tsx';
import { Page } from '../frame/page.tsx';
import { PageLoading } from '../frame/page-loading.tsx';
import { texts } from '../texts/texts.ts';
import { StatusBadge } from './status-badge.tsx';

/** What was bought in this browser, the newest first. */
export function OrdersPage() {
  const { api } = useEngine();
  const { data, isError, refetch, fetchNextPage, hasNextPage, isFetching, isFetchNextPageError } =
    useInfiniteQuery({
      queryKey: ['orders'],
      queryFn: ({ pageParam, signal }) =>
        api.order.list.query(pageParam === null ? {} : { cursor: pageParam }, { signal }),
      initialPageParam: null as string | null,
      getNextPageParam: page => page.nextCursor ?? null,
      // Whoever never had a session has no orders, and needs none to be told so.
      enabled: keptSession() !== null,
      staleTime: 0,
    });
  const orders = data?.pages.flatMap(page => page.items) ?? [];
  // What is known stays, whatever became of asking again.
  if (isError && !data) {
    return (
      <Notice title={texts.order.mine} text={texts.order.failed}>
        <button type="button" className="button" onClick={() => void refetch()}>
          {texts.frame.tryAgain}
        </button>
      </Notice>
    );
  }
  if (!data && isFetching) return <PageLoading />;
  if (orders.length === 0) {
    return (
      <Notice title={texts.order.none} text={texts.order.noneHint}>
        <Link href="/" className="button">
          {texts.frame.toDrops}
        </Link>
      </Notice>
    );
  }
  return (
    <Page title={texts.order.mine} className="orders-page">
      <h1>{texts.order.mine}</h1>
      <ul className="orders-list">
        {orders.map(order => (
          <OrderRow key={order.orderId} order={order} />
        ))}
      </ul>
      {isFetchNextPageError && (
        <p className="notice notice-alarm" role="alert">
          {texts.order.failed}
        </p>
      )}
      {hasNextPage && (
        <button
          type="button"
          className="button button-quiet"
          disabled={isFetching}
          onClick={() => void fetchNextPage()}
        >
          {texts.order.more}
        </button>
      )}
    </Page>
  );
}

function OrderRow({ order }: { order: Order }) {
  const { orderId, lines, status, totals, createdAtMs } = order;
  return (
    <li className="orders-row">
      <div>
        <h2>
          <Link href={`/orders/${orderId}`} className="card-link">
            {lines.map(({ title, quantity }) => `${quantity} × ${title}`).join(', ')}
          </Link>
        </h2>
        <p className="hint">{texts.order.placed(formatDate(createdAtMs))}</p>
      </div>
      <StatusBadge status={status} />
      <p className="orders-total figures">{formatMoney(totals.total)}</p>
    </li>
  );
}
