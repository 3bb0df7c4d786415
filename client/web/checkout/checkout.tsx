import { useCallback } from 'react';
import type { Drop, DropWatch, Payable, TicketStatus } from '../engine/types.ts';
import { TicketCard } from '../queue/ticket-card.tsx';
import { texts } from '../texts/texts.ts';
import { ChooseStep } from './choose-step.tsx';
import { DetailsForm } from './details-form.tsx';
import { OrderView } from './order-view.tsx';
import { PayStep } from './pay-step.tsx';
import type { Money } from '../format/money.ts';
import { PriceLines } from './price-lines.tsx';
import { ProblemNotice } from './problem-notice.tsx';
import type { Purchase, Stage } from './purchase.ts';
import { Steps } from './steps.tsx';
import { TimeLeft } from './time-left.tsx';

type Called = Extract<TicketStatus, { kind: 'called' }>;

/** From the pass to the serial numbers, one step at a time. */
export function Checkout(props: {
  drop: Drop;
  watch: DropWatch | null;
  purchase: Purchase;
  called: Called | null;
}) {
  const { drop, watch, purchase, called } = props;
  const { stage, problem } = purchase;
  return (
    <TicketCard step={stage.kind === 'none' ? 'called' : stage.kind} title={titleOf(stage)} tone="turn">
      <Steps current={stepOf(stage)} />
      <ProblemNotice problem={problem} />
      <Step drop={drop} watch={watch} purchase={purchase} called={called} />
    </TicketCard>
  );
}

function Step(props: { drop: Drop; watch: DropWatch | null; purchase: Purchase; called: Called | null }) {
  const { drop, watch, purchase, called } = props;
  const { stage } = purchase;
  switch (stage.kind) {
    case 'looking':
      return <p className="hint">{texts.frame.connecting} …</p>;
    case 'none':
      return (
        called && (
          <>
            <TimeLeft label={texts.queue.called.left} untilMs={called.expiresAtMs} />
            <ChooseStep drop={drop} watch={watch} purchase={purchase} called={called} />
          </>
        )
      );
    case 'held': {
      const { hold, requoted } = stage;
      return (
        <>
          <TimeLeft label={texts.checkout.heldFor} untilMs={hold.expiresAtMs} />
          <PriceLines
            lines={requoted?.lines ?? hold.lines}
            total={requoted?.total ?? hold.total}
            quoted={requoted}
          />
          <DetailsForm purchase={purchase} />
          <button
            type="button"
            className="button button-quiet"
            disabled={purchase.isBusy}
            onClick={purchase.release}
          >
            {texts.checkout.release}
          </button>
        </>
      );
    }
    case 'payable':
      return (
        <>
          <TimeLeft label={texts.checkout.payBefore} untilMs={stage.payable.expiresAtMs} />
          <Paying purchase={purchase} payable={stage.payable} total={stage.total} />
        </>
      );
    case 'order':
      return <OrderView drop={drop} orderId={stage.orderId} purchase={purchase} agreed={stage.agreed} />;
  }
}

function Paying(props: { purchase: Purchase; payable: Payable; total: Money }) {
  const { purchase, payable, total } = props;
  const { followOrder } = purchase;
  const onAgreed = useCallback(() => followOrder(true), [followOrder]);
  const onMoved = useCallback(() => followOrder(false), [followOrder]);
  return <PayStep payable={payable} total={total} onAgreed={onAgreed} onMoved={onMoved} />;
}

function stepOf(stage: Stage): keyof typeof texts.checkout.steps {
  switch (stage.kind) {
    case 'none':
    case 'looking':
      return 'choose';
    case 'held':
      return 'details';
    case 'payable':
      return 'pay';
    case 'order':
      return 'done';
  }
}

function titleOf(stage: Stage): string {
  if (stage.kind === 'order') return texts.order.title;
  return stage.kind === 'none' ? texts.queue.called.title : texts.checkout.title;
}
