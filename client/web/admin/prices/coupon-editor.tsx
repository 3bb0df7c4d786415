import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { ApiInputs } from '../../../index.ts';
import { minorPerMajorOf } from '../../format/money.ts';
import { DropOptions } from '../drops/drop-options.tsx';
import { Field, focusFirstProblem } from '../parts/field.tsx';
import { FormEnd } from '../parts/form-end.tsx';
import { formTexts } from '../parts/form-text.ts';
import { tell } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';
import { type CouponProblem, discountKinds, type DiscountKind, readCouponForm } from './coupon-form.rules.ts';

type Create = ApiInputs['admin']['coupon']['create'];

function say(problem: CouponProblem | undefined): string | undefined {
  if (!problem) return undefined;
  switch (problem.kind) {
    case 'whole':
      return words.form.problems.whole(problem.min, problem.max);
    case 'percent':
      return words.prices.problems.percent;
    case 'required':
    case 'price':
    case 'currency':
    case 'time':
      return words.form.problems[problem.kind];
    default:
      return words.coupons.problems[problem.kind];
  }
}

/** A code is given out once, for good: it is made, and withdrawn, and not changed in between. */
export function NewCoupon() {
  const { api } = useStaff();
  const queries = useQueryClient();
  const [, go] = useLocation();
  const form = useRef<HTMLFormElement>(null);
  const [kind, setKind] = useState<DiscountKind>('percent');
  const [minSubtotal, setMinSubtotal] = useState('');
  const [problems, setProblems] = useState<Readonly<Record<string, CouponProblem>>>({});
  const text = words.coupons;
  const create = useMutation({
    mutationFn: (input: Create) => api.admin.coupon.create.mutate(input),
    async onSuccess({ code }) {
      tell(text.created(code));
      await queries.invalidateQueries({ queryKey: ['coupons'] });
      go('/prices');
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const read = readCouponForm(formTexts(new FormData(event.currentTarget)), {
      minorPerMajor: minorPerMajorOf,
    });
    setProblems(read.kind === 'wrong' ? read.problems : {});
    if (read.kind === 'wrong') focusFirstProblem(form.current);
    else create.mutate(read.input);
  };
  const plain = (name: string, label: string, options: { hint?: string; isOptional?: boolean } = {}) => (
    <Field
      key={name}
      name={name}
      label={label}
      hint={options.hint}
      problem={say(problems[name])}
      isOptional={options.isOptional ?? false}
    >
      {control => <input {...control} autoComplete="off" spellCheck={false} />}
    </Field>
  );
  const moment = (name: 'startsAt' | 'endsAt') => (
    <Field name={name} label={text[name]} hint={text[`${name}Hint`]} problem={say(problems[name])} isOptional>
      {control => <input {...control} type="datetime-local" step="1" />}
    </Field>
  );
  return (
    <Page title={text.create}>
      <form ref={form} className="form" onSubmit={submit} noValidate>
        <fieldset className="card form-part">
          <div className="field-row">
            {plain('code', text.code, { hint: text.codeHint })}
            <Field name="kind" label={text.discount}>
              {control => (
                <select
                  {...control}
                  value={kind}
                  onChange={event =>
                    setKind(discountKinds.find(each => each === event.target.value) ?? 'percent')
                  }
                >
                  {discountKinds.map(each => (
                    <option key={each} value={each}>
                      {text.kinds[each]}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          </div>
          <div className="field-row">
            {kind === 'percent' && plain('percent', words.prices.percent)}
            {kind === 'fixed' && plain('amount', text.amount)}
            {kind === 'buy-x-get-y' && [plain('buy', text.buy), plain('get', text.get)]}
            <Field
              name="minSubtotal"
              label={text.minSubtotal}
              hint={text.minSubtotalHint}
              problem={say(problems['minSubtotal'])}
              isOptional
            >
              {control => (
                <input
                  {...control}
                  inputMode="decimal"
                  autoComplete="off"
                  value={minSubtotal}
                  onChange={event => setMinSubtotal(event.target.value)}
                />
              )}
            </Field>
            {(kind === 'fixed' || minSubtotal.trim() !== '') && (
              <Field name="currency" label={words.form.currency} problem={say(problems['currency'])}>
                {control => <input {...control} maxLength={3} defaultValue="EUR" autoComplete="off" />}
              </Field>
            )}
          </div>
        </fieldset>
        <fieldset className="card form-part">
          <legend>{text.limits}</legend>
          <div className="field-row">
            {plain('usesMax', text.usesMax, { hint: text.noLimit, isOptional: true })}
            {plain('perBuyerMax', text.perBuyerMax, { hint: text.noLimit, isOptional: true })}
            {moment('startsAt')}
            {moment('endsAt')}
          </div>
          <div className="field-row">
            <Field name="dropId" label={words.orders.drop}>
              {control => (
                <select {...control}>
                  <DropOptions />
                </select>
              )}
            </Field>
            {plain('skus', text.skus, { hint: text.skusHint, isOptional: true })}
            {plain('categories', words.products.categories, {
              hint: words.products.categoriesHint,
              isOptional: true,
            })}
          </div>
        </fieldset>
        <FormEnd sending={create} backTo="/prices" submit={text.submit} />
      </form>
    </Page>
  );
}
