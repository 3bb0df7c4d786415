import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { ApiInputs, ApiOutputs } from '../../../index.ts';
import { minorPerMajorOf } from '../../format/money.ts';
import { majorOf, minorOf, skuPattern } from '../drops/drop-form.rules.ts';
import { Ask } from '../parts/ask.tsx';
import { Field, focusFirstProblem } from '../parts/field.tsx';
import { FormEnd } from '../parts/form-end.tsx';
import { formText } from '../parts/form-text.ts';
import { tell } from '../parts/notices.tsx';
import { Awaited, heldStill, Page } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';

type Product = ApiOutputs['admin']['product']['get'];
type Upsert = ApiInputs['admin']['product']['upsert'];
type VariantTexts = { key: number; sku: string; title: string; price: string };

export function NewProduct() {
  return <ProductForm product={null} />;
}

export function EditProduct({ productId }: { productId: string }) {
  const { api } = useStaff();
  const product = useQuery({
    queryKey: ['product', productId],
    queryFn: () => api.admin.product.get.query({ productId }),
    ...heldStill,
  });
  if (!product.data) return <Awaited query={product} title={words.products.title} />;
  return <ProductForm key={product.data.rev} product={product.data} />;
}

function ProductForm({ product }: { product: Product | null }) {
  const { api, may } = useStaff();
  const queries = useQueryClient();
  const [, go] = useLocation();
  const form = useRef<HTMLFormElement>(null);
  const text = words.products;
  const startCurrency = product?.variants[0]?.price.currency ?? 'EUR';
  const [variants, setVariants] = useState<readonly VariantTexts[]>(() =>
    product
      ? product.variants.map((variant, key) => ({
          key,
          sku: variant.sku,
          title: variant.title ?? '',
          price: majorOf(variant.price.amount, minorPerMajorOf(variant.price.currency)),
        }))
      : [{ key: 0, sku: '', title: '', price: '' }],
  );
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const [isAsked, setAsked] = useState(false);
  const isFrozen = !may('admin');
  const save = useMutation({
    mutationFn: (input: Upsert) => api.admin.product.upsert.mutate(input),
    async onSuccess(_answer, { title }) {
      tell(text.saved(title));
      await queries.invalidateQueries();
      go('/products');
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const read = readProduct(product, variants, name => formText(data, name));
    setProblems(read.problems);
    if (Object.keys(read.problems).length > 0) focusFirstProblem(form.current);
    else save.mutate(read.input);
  };
  const change = (key: number, part: Partial<VariantTexts>) =>
    setVariants(all => all.map(variant => (variant.key === key ? { ...variant, ...part } : variant)));
  const plain = (
    name: string,
    label: string,
    start: string,
    options: { hint?: string; isOptional?: boolean } = {},
  ) => (
    <Field
      name={name}
      label={label}
      hint={options.hint}
      problem={problems[name]}
      isOptional={options.isOptional ?? false}
    >
      {control => <input {...control} autoComplete="off" defaultValue={start} />}
    </Field>
  );
  return (
    <Page
      title={product?.title ?? text.create}
      acts={
        product &&
        may('admin') && (
          <button type="button" className="button button-danger-quiet" onClick={() => setAsked(true)}>
            {text.remove}
          </button>
        )
      }
    >
      <form ref={form} className="form" onSubmit={submit} noValidate>
        <fieldset className="card form-part" disabled={isFrozen}>
          {product ? (
            <p className="hint">
              <code>{product.productId}</code> · rev {product.rev}
            </p>
          ) : (
            plain('productId', text.id, '', { hint: text.idHint })
          )}
          {plain('title', words.form.title, product?.title ?? '')}
          <div className="field-row">
            {plain('brand', text.brand, product?.brand ?? '', { isOptional: true })}
            {plain('categories', text.categories, product?.categories.join(', ') ?? '', {
              hint: text.categoriesHint,
              isOptional: true,
            })}
            <Field name="status" label={text.status}>
              {control => (
                <select {...control} defaultValue={product?.status ?? 'active'}>
                  {(['draft', 'active', 'archived'] as const).map(status => (
                    <option key={status} value={status}>
                      {text.statuses[status]}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          </div>
          <Field name="description" label={text.description} problem={problems['description']} isOptional>
            {control => <textarea {...control} rows={5} defaultValue={product?.description ?? ''} />}
          </Field>
          <Field
            name="images"
            label={text.images}
            hint={text.imagesHint}
            problem={problems['images']}
            isOptional
          >
            {control => (
              <textarea
                {...control}
                rows={2}
                spellCheck={false}
                defaultValue={product?.images.join('\n') ?? ''}
              />
            )}
          </Field>
          {plain('popularity', text.popularity, String(product?.popularity ?? 0), {
            hint: text.popularityHint,
          })}
        </fieldset>
        <fieldset className="card form-part" disabled={isFrozen}>
          <legend>{text.variants}</legend>
          {product && <p className="hint">{text.kept}</p>}
          {plain('currency', text.currency, startCurrency)}
          {variants.map((variant, index) => (
            <div key={variant.key} className="item-row">
              <Field name={`sku-${index}`} label={words.form.sku} problem={problems[`sku-${index}`]}>
                {control => (
                  <input
                    {...control}
                    autoComplete="off"
                    spellCheck={false}
                    value={variant.sku}
                    onChange={event => change(variant.key, { sku: event.target.value })}
                  />
                )}
              </Field>
              <Field name={`title-${index}`} label={text.variantTitle} isOptional>
                {control => (
                  <input
                    {...control}
                    autoComplete="off"
                    value={variant.title}
                    onChange={event => change(variant.key, { title: event.target.value })}
                  />
                )}
              </Field>
              <Field name={`price-${index}`} label={text.price} problem={problems[`price-${index}`]}>
                {control => (
                  <input
                    {...control}
                    inputMode="decimal"
                    autoComplete="off"
                    value={variant.price}
                    onChange={event => change(variant.key, { price: event.target.value })}
                  />
                )}
              </Field>
              {variants.length > 1 && (
                <button
                  type="button"
                  className="button button-quiet"
                  aria-label={text.removeVariant(variant.sku)}
                  onClick={() => setVariants(all => all.filter(({ key }) => key !== variant.key))}
                >
                  ×
                </button>
              )}
            </div>
          ))}
          <button
            type="button"
            className="button button-quiet"
            onClick={() =>
              setVariants(all => [...all, { key: (all.at(-1)?.key ?? 0) + 1, sku: '', title: '', price: '' }])
            }
          >
            {text.addVariant}
          </button>
        </fieldset>
        <FormEnd sending={save} backTo="/products" submit={words.save} isFrozen={isFrozen} />
      </form>
      {isAsked && product && (
        <Ask
          title={text.askRemove(product.title)}
          text={text.askRemoveText}
          act={text.remove}
          isDanger
          onClose={() => setAsked(false)}
          onAct={async () => {
            await api.admin.product.remove.mutate({ productId: product.productId });
            tell(text.removed(product.title));
            await queries.invalidateQueries({ queryKey: ['products'] });
            go('/products');
          }}
        />
      )}
    </Page>
  );
}

/** What the form does not show (options, barcodes, attributes, further prices, tiers, slug, tax class) stays as it was. */
function readProduct(
  product: Product | null,
  variants: readonly VariantTexts[],
  text: (name: string) => string,
): { input: Upsert; problems: Record<string, string> } {
  const say = words.form.problems;
  const problems: Record<string, string> = {};
  const productId = product?.productId ?? text('productId');
  if (!skuPattern.test(productId)) problems['productId'] = productId === '' ? say.required : say.sku;
  if (text('title') === '') problems['title'] = say.required;
  const currency = text('currency').toUpperCase();
  if (!/^[A-Z]{3}$/.test(currency)) problems['currency'] = say.currency;
  const popularity = Number(text('popularity') || '0');
  if (!Number.isInteger(popularity) || popularity < 0) problems['popularity'] = say.whole(0, 1_000_000_000);
  const lines = (name: string, separator: string) =>
    text(name)
      .split(separator)
      .map(part => part.trim())
      .filter(Boolean);
  const known = new Map(product?.variants.map(variant => [String(variant.sku), variant]));
  const seen = new Set<string>();
  const read = variants.map((variant, index) => {
    const sku = variant.sku.trim();
    if (!skuPattern.test(sku)) problems[`sku-${index}`] = sku === '' ? say.required : say.sku;
    else if (seen.has(sku)) problems[`sku-${index}`] = say.twice;
    seen.add(sku);
    const amount = /^[A-Z]{3}$/.test(currency) ? minorOf(variant.price, minorPerMajorOf(currency)) : 0;
    if (amount === null) problems[`price-${index}`] = say.price;
    const { title: _title, price: _price, sku: _sku, ...rest } = known.get(sku) ?? {};
    const title = variant.title.trim();
    return { ...rest, sku, ...(title ? { title } : {}), price: { amount: amount ?? 0, currency } };
  });
  const status = (['draft', 'active', 'archived'] as const).find(each => each === text('status'));
  return {
    problems,
    input: {
      productId,
      title: text('title'),
      ...(product
        ? { slug: product.slug, taxClass: product.taxClass, expectedRev: product.rev }
        : { expectedRev: 0 }),
      ...(status ? { status } : {}),
      ...(text('description') ? { description: text('description') } : {}),
      ...(text('brand') ? { brand: text('brand') } : {}),
      categories: lines('categories', ','),
      images: lines('images', '\n'),
      popularity,
      variants: read,
    },
  };
}
