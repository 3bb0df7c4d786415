import { Link } from 'wouter';
import { useOrder } from '../../react/index.ts';
import { explainFailure } from '../engine/explain.ts';
import type { Drop } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';
import { DetailsForm } from './details-form.tsx';
import type { Purchase } from './purchase.ts';
import { SerialList } from './serial-list.tsx';

/** The order as it goes on, to the serial numbers of what was bought. */
export function OrderView(props: { drop: Drop; orderId: string; purchase: Purchase; agreed: boolean }) {
  const { drop, orderId, purchase, agreed } = props;
  const { order, error } = useOrder(orderId);
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
      {isOurs && <SerialList serials={order?.serials ?? []} items={drop.items} />}
      {error !== null && (
        <p className="notice notice-alarm" role="alert">
          {explainFailure(error)}
        </p>
      )}
      {status === 'pending' && !agreed && <DetailsForm purchase={purchase} />}
      <p>
        <Link href={`/orders/${orderId}`} className={`button ${isOurs ? 'button-wide' : 'button-quiet'}`}>
          {texts.checkout.seeOrder}
        </Link>
      </p>
      {isOver && (
        <button type="button" className="button button-quiet" onClick={purchase.close}>
          {texts.order.again}
        </button>
      )}
    </div>
  );
}
