import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { Link } from 'wouter';
import { formatMoney } from '../../format/money.ts';
import { Awaited, Empty, More, Page } from '../parts/page.tsx';
import { useStaff } from '../session/staff.ts';
import { words } from '../texts/texts.ts';

const behindAgainMs = 3_000;

interface Row {
  readonly productId: string;
  readonly title: string;
  readonly brand?: string | undefined;
  readonly skus: readonly string[];
  readonly price: { readonly amount: number; readonly currency: string } | undefined;
  readonly status?: 'draft' | 'active' | 'archived' | undefined;
  readonly isIndexed?: boolean | undefined;
}

export function ProductList() {
  const { may } = useStaff();
  const [typed, setTyped] = useState('');
  const query = useDeferredValue(typed.trim());
  const acts = may('admin') && (
    <>
      <Link href="/import" className="button button-quiet">
        {words.products.import}
      </Link>
      <Link href="/products/new" className="button">
        {words.products.create}
      </Link>
    </>
  );
  return (
    <Page title={words.products.title} acts={acts}>
      <div className="toolbar">
        <div className="field field-wide">
          <label htmlFor="product-search">{words.products.search}</label>
          <input
            id="product-search"
            type="search"
            value={typed}
            autoComplete="off"
            aria-describedby="product-search-hint"
            onChange={event => setTyped(event.target.value)}
          />
          <p id="product-search-hint" className="field-hint">
            {words.products.searchHint}
          </p>
        </div>
        <Behind />
      </div>
      {query === '' ? <AllProducts acts={acts} /> : <FoundProducts query={query} />}
    </Page>
  );
}

/** How far search is behind the catalog: what was just imported is not found yet. */
function Behind() {
  const { api } = useStaff();
  const counts = useQuery({
    queryKey: ['product-counts'],
    queryFn: () => api.admin.product.counts.query(),
    refetchInterval: behindAgainMs,
  });
  if (!counts.data) return null;
  return <p className="hint">{words.products.behind(counts.data.due, counts.data.products)}</p>;
}

function AllProducts({ acts }: { acts: React.ReactNode }) {
  const { api } = useStaff();
  const products = useInfiniteQuery({
    queryKey: ['products'],
    queryFn: ({ pageParam }) =>
      api.admin.product.list.query({ limit: 50, ...(pageParam ? { cursor: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: page => page.nextCursor,
  });
  if (!products.data) return <Awaited query={products} />;
  const rows = products.data.pages
    .flatMap(page => page.items)
    .map(
      (product): Row => ({
        productId: product.productId,
        title: product.title,
        brand: product.brand,
        skus: product.variants.map(variant => variant.sku),
        price: product.variants[0]?.price,
        status: product.status,
        isIndexed: product.indexed,
      }),
    );
  if (rows.length === 0) {
    return (
      <Empty title={words.products.empty} hint={words.products.emptyHint}>
        {acts}
      </Empty>
    );
  }
  return (
    <>
      <Rows rows={rows} />
      <More query={products} />
    </>
  );
}

function FoundProducts({ query }: { query: string }) {
  const { api } = useStaff();
  const found = useQuery({
    queryKey: ['products-found', query],
    queryFn: () => api.search.products.query({ q: query.slice(0, 200), perPage: 50 }),
    placeholderData: keepPreviousData,
  });
  if (!found.data) return <Awaited query={found} />;
  const rows = found.data.hits.map(
    (hit): Row => ({ productId: hit.id, title: hit.title, brand: hit.brand, skus: [], price: hit.price }),
  );
  if (rows.length === 0) return <p className="notice">{words.products.nothing(query)}</p>;
  return <Rows rows={rows} />;
}

function Rows({ rows }: { rows: readonly Row[] }) {
  const text = words.products;
  // What search answers with says less than the catalog's own list.
  const hasStatus = rows.some(row => row.status !== undefined);
  return (
    <div className="sheet">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{text.name}</th>
            {hasStatus && <th scope="col">{text.skus}</th>}
            <th scope="col" className="is-number">
              {text.price}
            </th>
            {hasStatus && <th scope="col">{text.status}</th>}
            {hasStatus && <th scope="col">{text.searchable}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row.productId}>
              <th scope="row">
                <Link href={`/products/${encodeURIComponent(row.productId)}`}>{row.title}</Link>
                {row.brand && <span className="under">{row.brand}</span>}
              </th>
              {hasStatus && (
                <td data-name={text.skus}>
                  <code>{row.skus.slice(0, 3).join(', ')}</code>
                  {row.skus.length > 3 && ` +${row.skus.length - 3}`}
                </td>
              )}
              <td data-name={text.price} className="is-number figures">
                {row.price ? formatMoney(row.price) : words.none}
              </td>
              {hasStatus && (
                <td data-name={text.status}>{row.status ? text.statuses[row.status] : words.none}</td>
              )}
              {hasStatus && <td data-name={text.searchable}>{row.isIndexed ? text.indexed : text.due}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
