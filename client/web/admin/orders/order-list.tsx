import { useInfiniteQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import type { ApiInputs } from '../../../index.ts';
import { formatDate } from '../../format/duration.ts';
import { formatMoney } from '../../format/money.ts';
import { formatCount } from '../../format/number.ts';
import { DropOptions } from '../drops/drop-options.tsx';
import { Field } from '../parts/field.tsx';
import { formText } from '../parts/form-text.ts';
import { Empty, Failed, Loading, More, Page } from '../parts/page.tsx';
import { OrderTag } from '../parts/state-tag.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';

type Query = ApiInputs['admin']['order']['list'];

const statuses = [
  'pending',
  'closing',
  'authorized',
  'cancelling',
  'paid',
  'fulfilled',
  'refunded',
  'cancelled',
  'expired',
] as const;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What an id is the id of; null for anything else. An order's own id leads straight to it. */
function queryOf(text: string): Query | { orderId: string } | null {
  if (text.startsWith('ord_') && uuid.test(text.slice(4))) return { orderId: text };
  if (/^pi_[A-Za-z0-9_]{1,120}$/.test(text)) return { paymentId: text };
  if (uuid.test(text)) return { holdId: text };
  return /^[A-Za-z0-9_-]{21}[AQgw]$/.test(text) ? { buyerId: text } : null;
}

export function OrderList() {
  const { api } = useStaff();
  const [, go] = useLocation();
  const [params, setParams] = useSearchParams();
  const [wrong, setWrong] = useState(false);
  const text = words.orders;
  const dropId = params.get('drop') ?? '';
  const wanted = params.get('status') ?? '';
  const status = statuses.find(each => each === wanted);
  const id = params.get('id') ?? '';
  const byId = queryOf(id);
  const query: Query = {
    ...(dropId ? { dropId } : {}),
    ...(status ? { status } : {}),
    ...(byId && !('orderId' in byId) ? byId : {}),
  };
  const orders = useInfiniteQuery({
    queryKey: ['orders', query],
    queryFn: ({ pageParam }) =>
      api.admin.order.list.query({ limit: 50, ...query, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: page => page.nextCursor,
  });
  const set = (name: string, value: string) =>
    setParams(before => {
      const next = new URLSearchParams(before);
      if (value) next.set(name, value);
      else next.delete(name);
      return next;
    });
  const find = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const typed = formText(new FormData(event.currentTarget), 'id');
    const found = typed === '' ? {} : queryOf(typed);
    setWrong(found === null);
    if (!found) return;
    if ('orderId' in found) go(`/orders/${found.orderId}`);
    else set('id', typed);
  };
  const items = orders.data?.pages.flatMap(page => page.items) ?? [];
  return (
    <Page title={text.title}>
      <div className="toolbar">
        <form className="find" onSubmit={find}>
          <Field
            name="id"
            label={text.search}
            hint={text.searchHint}
            problem={wrong ? text.searchWrong : undefined}
          >
            {control => (
              <input {...control} type="search" defaultValue={id} autoComplete="off" spellCheck={false} />
            )}
          </Field>
          <button type="submit" className="button button-quiet">
            {text.find}
          </button>
        </form>
        <Field name="drop" label={text.drop}>
          {control => (
            <select {...control} value={dropId} onChange={event => set('drop', event.target.value)}>
              <DropOptions chosen={dropId} />
            </select>
          )}
        </Field>
        <Field name="status" label={text.status}>
          {control => (
            <select {...control} value={status ?? ''} onChange={event => set('status', event.target.value)}>
              <option value="">{text.allStatuses}</option>
              {Object.entries(text.statuses).map(([each, name]) => (
                <option key={each} value={each}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      {orders.isPending && <Loading />}
      {orders.isError && <Failed error={orders.error} onAgain={() => void orders.refetch()} />}
      {orders.isSuccess && items.length === 0 && <Empty title={text.empty} hint={text.emptyHint} />}
      {items.length > 0 && (
        <div className="sheet">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{text.id}</th>
                <th scope="col">{text.status}</th>
                <th scope="col">{text.when}</th>
                <th scope="col">{text.buyer}</th>
                <th scope="col" className="is-number">
                  {text.items}
                </th>
                <th scope="col" className="is-number">
                  {text.total}
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map(order => (
                <tr key={order.orderId}>
                  <th scope="row">
                    <Link href={`/orders/${order.orderId}`}>
                      <code>{order.orderId.slice(0, 16)}…</code>
                      <span className="visually-hidden">{order.orderId}</span>
                    </Link>
                  </th>
                  <td data-name={text.status}>
                    <OrderTag status={order.status} />
                  </td>
                  <td data-name={text.when}>{formatDate(order.createdAtMs)}</td>
                  <td data-name={text.buyer}>{order.contact.address.name}</td>
                  <td data-name={text.items} className="is-number figures">
                    {formatCount(order.lines.reduce((sum, line) => sum + line.quantity, 0))}
                  </td>
                  <td data-name={text.total} className="is-number figures">
                    {formatMoney(order.totals.total)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More query={orders} />
    </Page>
  );
}
