import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { ApiOutputs } from '../../../index.ts';
import { formatDate } from '../../format/duration.ts';
import { formatMoney } from '../../format/money.ts';
import { formatCount } from '../../format/number.ts';
import { Ask } from '../parts/ask.tsx';
import { tell, tellBad } from '../parts/notices.tsx';
import { Awaited, Page } from '../parts/page.tsx';
import { OrderTag } from '../parts/state-tag.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import { RefundDialog } from './refund-dialog.tsx';

export type AdminOrder = ApiOutputs['admin']['order']['get'];

/** An order that is on its way to its end is looked at again by itself. */
const lookAgainMs = 3_000;
const restful: ReadonlySet<AdminOrder['status']> = new Set(['fulfilled', 'refunded', 'cancelled', 'expired']);

export function OrderPage({ orderId }: { orderId: string }) {
  const { api, may } = useStaff();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<'cancel' | 'fulfil' | 'refund' | null>(null);
  const text = words.orders;
  const order = useQuery({
    queryKey: ['order', orderId],
    queryFn: () => api.admin.order.get.query({ orderId }),
    refetchInterval: ({ state }) => (state.data && restful.has(state.data.status) ? false : lookAgainMs),
  });
  if (!order.data) return <Awaited query={order} title={text.title} />;
  const shown = order.data;
  const look = () => queries.invalidateQueries({ queryKey: ['order', orderId] });
  const leftAmount = shown.totals.total.amount - shown.refundedAmount.amount;
  const canRefund = (shown.status === 'paid' || shown.status === 'fulfilled') && leftAmount >= 0;
  const refusal = (status: AdminOrder['status']) => tellBad(text.refusedNow(text.statuses[status]));
  return (
    <Page
      title={`${text.id} …${orderId.slice(-6)}`}
      acts={
        <>
          <OrderTag status={shown.status} />
          {shown.status === 'paid' && (
            <button type="button" className="button" onClick={() => setAsked('fulfil')}>
              {text.fulfil}
            </button>
          )}
          {canRefund && may('admin') && (
            <button type="button" className="button button-danger-quiet" onClick={() => setAsked('refund')}>
              {text.refund}
            </button>
          )}
          {shown.status === 'pending' && (
            <button type="button" className="button button-danger-quiet" onClick={() => setAsked('cancel')}>
              {text.cancel}
            </button>
          )}
        </>
      }
    >
      {shown.reason && <p className="notice">{text.reasons[shown.reason]}</p>}
      {shown.dispute && (
        <p className="notice notice-alarm">{text.dispute(shown.dispute.status, shown.dispute.reason)}</p>
      )}
      <div className="columns">
        <section className="card">
          <h2>{text.lines}</h2>
          <Lines order={shown} />
        </section>
        <section className="card">
          <h2>{text.timeline}</h2>
          <Timeline order={shown} />
        </section>
        <section className="card">
          <h2>{text.contact}</h2>
          <Contact contact={shown.contact} />
        </section>
        <section className="card">
          <h2>{text.ids}</h2>
          <dl className="pairs">
            <dt>{text.id}</dt>
            <dd>
              <code>{shown.orderId}</code>
            </dd>
            <dt>{text.drop}</dt>
            <dd>
              <Link href={`/drops/${shown.dropId}`}>
                <code>{shown.dropId}</code>
              </Link>
            </dd>
            <dt>{text.buyer}</dt>
            <dd>
              <Link href={`/orders?id=${shown.buyerId}`}>
                <code>{shown.buyerId}</code>
              </Link>
            </dd>
            <dt>{text.hold}</dt>
            <dd>
              <code>{shown.holdId}</code>
            </dd>
            {shown.paymentId && (
              <>
                <dt>{text.payment}</dt>
                <dd>
                  <code>{shown.paymentId}</code>
                </dd>
              </>
            )}
          </dl>
        </section>
      </div>
      {asked === 'cancel' && (
        <Ask
          title={text.askCancel}
          text={text.askCancelText}
          act={text.cancel}
          isDanger
          onClose={() => setAsked(null)}
          onAct={async () => {
            const answer = await api.admin.order.cancel.mutate({ orderId });
            if (answer.kind === 'refused') refusal(answer.status);
            else tell(text.cancelling);
            await look();
          }}
        />
      )}
      {asked === 'fulfil' && (
        <Ask
          title={text.fulfil}
          text={`${shown.contact.address.name}, ${shown.contact.address.city}`}
          act={text.fulfil}
          onClose={() => setAsked(null)}
          onAct={async () => {
            const answer = await api.admin.order.fulfil.mutate({ orderId });
            if (answer.kind === 'refused') refusal(answer.status);
            else tell(text.fulfilled);
            await look();
          }}
        />
      )}
      {asked === 'refund' && (
        <RefundDialog order={shown} onClose={() => setAsked(null)} onDone={() => void look()} />
      )}
    </Page>
  );
}

function Lines({ order }: { order: AdminOrder }) {
  const text = words.orders;
  const { totals } = order;
  const rows = [
    { name: text.subtotal, money: totals.subtotal },
    ...(totals.discount.amount > 0
      ? [{ name: text.discount, money: { ...totals.discount, amount: -totals.discount.amount } }]
      : []),
    { name: text.shipping, money: totals.shipping },
    { name: totals.taxIncluded ? text.taxIncluded : text.tax, money: totals.tax },
  ];
  return (
    <table className="lines">
      <tbody>
        {order.lines.map(line => (
          <tr key={line.sku}>
            <th scope="row">
              {formatCount(line.quantity)} × {line.title}
              <span className="under">
                <code>{line.sku}</code>{' '}
                {order.serials.some(unit => unit.sku === line.sku) &&
                  text.serials(
                    order.serials
                      .filter(unit => unit.sku === line.sku)
                      .map(unit => unit.serial)
                      .join(', '),
                  )}
              </span>
            </th>
            <td className="figures">{formatMoney(line.total)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        {rows.map(({ name, money }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="figures">{formatMoney(money)}</td>
          </tr>
        ))}
        <tr className="lines-total">
          <th scope="row">{text.total}</th>
          <td className="figures">{formatMoney(totals.total)}</td>
        </tr>
        {order.refundedAmount.amount > 0 && (
          <tr>
            <th scope="row">{text.refundedAmount}</th>
            <td className="figures">{formatMoney(order.refundedAmount)}</td>
          </tr>
        )}
      </tfoot>
    </table>
  );
}

function Timeline({ order }: { order: AdminOrder }) {
  const text = words.orders;
  const events = [
    ...order.history.map(({ status, atMs }) => ({ atMs, what: text.statuses[status], more: '' })),
    ...order.refunds.map(refund => ({
      atMs: refund.askedAtMs,
      what: text.refundAsked(formatMoney(refund.amount)),
      more: [
        text.refundFrom[refund.source],
        text.refundStatuses[refund.status],
        ...(refund.restocked.length > 0 ? [text.restocked(refund.restocked.length)] : []),
      ].join(' · '),
    })),
  ].toSorted((a, b) => a.atMs - b.atMs);
  return (
    <ol className="timeline">
      {events.map(({ atMs, what, more }) => (
        <li key={`${atMs} ${what}`}>
          <strong>{what}</strong>
          <time dateTime={new Date(atMs).toISOString()}>{formatDate(atMs)}</time>
          {more && <span className="hint">{more}</span>}
        </li>
      ))}
    </ol>
  );
}

function Contact({ contact }: { contact: AdminOrder['contact'] }) {
  const { address, email } = contact;
  const place = [address.postcode, address.city, address.state].filter(Boolean).join(' ');
  return (
    <address>
      {[address.name, address.line1, address.line2, place, address.country, email]
        .filter(Boolean)
        .map(line => (
          <span key={line}>{line}</span>
        ))}
    </address>
  );
}
