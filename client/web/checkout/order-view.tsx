import { useEffect, useState } from 'react';
import { useEngine } from '../engine/engine-context.ts';
import { explainFailure } from '../engine/explain.ts';
import type { Drop, OrderWatch } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';
import { DetailsForm } from './details-form.tsx';
import type { Purchase } from './purchase.ts';

/** The order as it goes on, to the serial numbers of what was bought. */
export function OrderView(props: { drop: Drop; orderId: string; purchase: Purchase; agreed: boolean }) {
  const { drop, orderId, purchase, agreed } = props;
  const { watchOrder } = useEngine();
  const [order, setOrder] = useState<OrderWatch | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(
    () => watchOrder(orderId, setOrder, error => setProblem(explainFailure(error))),
    [watchOrder, orderId],
  );

  const status = order?.status;
  const isOver = status === 'cancelled' || status === 'expired' || status === 'refunded';
  const isOurs = status === 'paid' || status === 'fulfilled';
  return (
    <div className="order">
      <p className={`notice ${isOurs ? 'notice-go' : ''}`} role="status">
        {status === undefined || (status === 'pending' && agreed)
          ? texts.checkout.confirming
          : texts.order.status[status]}
        {order?.reason && ` ${texts.order.reason[order.reason]}`}
      </p>
      {isOurs && (
        <ul className="order-serials">
          {order?.serials?.map(({ sku, serial }) => {
            const item = drop.items.find(candidate => candidate.sku === sku);
            return (
              <li key={`${sku}/${serial}`}>
                <span>{item?.title ?? sku}</span>
                <strong className="figures">{texts.order.serial(serial, item?.total ?? serial)}</strong>
              </li>
            );
          })}
        </ul>
      )}
      {problem !== null && (
        <p className="notice notice-alarm" role="alert">
          {problem}
        </p>
      )}
      {status === 'pending' && !agreed && <DetailsForm purchase={purchase} />}
      <p className="order-number">{texts.order.number(orderId)}</p>
      {isOver && (
        <button type="button" className="button button-quiet" onClick={purchase.close}>
          {texts.order.again}
        </button>
      )}
    </div>
  );
}
