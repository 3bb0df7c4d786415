// Money back, all of it or a part, and the units that come back with it. The refund's id is made as the dialog opens, so
// that a second click, or a second try after a lost answer, gives nothing back twice.
import { useState } from 'react';
import { formatMoney, minorPerMajorOf } from '../../format/money.ts';
import { majorOf, minorOf } from '../drops/drop-form.rules.ts';
import { Ask } from '../parts/ask.tsx';
import { Field } from '../parts/field.tsx';
import { tell, tellBad } from '../parts/notices.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import type { AdminOrder } from './order-page.tsx';

export function RefundDialog({
  order,
  onClose,
  onDone,
}: {
  order: AdminOrder;
  onClose: () => void;
  onDone: () => void;
}) {
  const { api } = useStaff();
  const text = words.orders;
  const { currency } = order.totals.total;
  const left = { amount: order.totals.total.amount - order.refundedAmount.amount, currency };
  const perMajor = minorPerMajorOf(currency);
  const [refundId] = useState(() => crypto.randomUUID());
  const [typed, setTyped] = useState(majorOf(left.amount, perMajor));
  const amount = minorOf(typed, perMajor);
  const isGood = amount !== null && amount <= left.amount && (amount > 0 || left.amount === 0);
  const money = (minor: number) => formatMoney({ amount: minor, currency });

  const refund = async (form: FormData) => {
    if (!isGood) throw new Error(text.amountHint(formatMoney(left)));
    const units = order.serials.filter(({ sku, serial }) => form.has(`${sku}/${serial}`));
    const answer = await api.admin.order.refund.mutate({
      refundId,
      orderId: order.orderId,
      ...(amount === left.amount ? {} : { amount }),
      restock: units.length > 0 ? units : false,
    });
    switch (answer.kind) {
      case 'refunded':
        tell(text.refunded(formatMoney(answer.amount)));
        break;
      case 'refunding':
        tell(text.refunding);
        break;
      case 'failed':
        tellBad(text.refundFailed(answer.code));
        break;
      case 'refused':
        tellBad(text.refusedNow(text.statuses[answer.status]));
        break;
      case 'too-much':
        tellBad(text.tooMuch(formatMoney(answer.refundable)));
        break;
      case 'not-restockable':
        tellBad(
          text.notRestockable(answer.units.map(({ sku, serial }) => text.unit(sku, serial)).join(', ')),
        );
        break;
      case 'conflict':
        tellBad(text.refundConflict);
        break;
    }
    onDone();
  };
  return (
    <Ask
      title={text.refundTitle}
      text={text.refundText}
      act={text.refundNow(isGood ? money(amount) : words.none)}
      isDanger
      onAct={refund}
      onClose={onClose}
    >
      <Field
        name="amount"
        label={`${text.amount} (${currency})`}
        hint={text.amountHint(formatMoney(left))}
        problem={isGood ? undefined : words.form.problems.price}
      >
        {control => (
          <input
            {...control}
            inputMode="decimal"
            autoComplete="off"
            value={typed}
            onChange={event => setTyped(event.target.value)}
          />
        )}
      </Field>
      {order.serials.length > 0 && (
        <fieldset className="units">
          <legend>{text.restock}</legend>
          <p className="field-hint">{text.restockHint}</p>
          {order.serials.map(({ sku, serial }) => (
            <label key={`${sku}/${serial}`} className="choice">
              <input type="checkbox" name={`${sku}/${serial}`} />
              <span>{text.unit(sku, serial)}</span>
            </label>
          ))}
        </fieldset>
      )}
    </Ask>
  );
}
